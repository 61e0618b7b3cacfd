"""Makes analysis.json: retrieval metrics of a small gallery, and from scikit-learn trustworthiness and t-SNE's conditional
probabilities.

    python3 Tests/GalleryTests/Fixtures/make_analysis.py          # numpy, scikit-learn 1.9; seed 17
"""
import json
import pathlib
import sys

import numpy as np
from sklearn.manifold import trustworthiness
from sklearn.manifold._utils import _binary_search_perplexity

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import metrics  # noqa: E402

rng = np.random.default_rng(17)


def unit(v):
    return v / np.linalg.norm(v, axis=1, keepdims=True)


# A gallery: ten identities of one to six sightings by three cameras, or by one that is not known.
count, dimension = 40, 8
identity = np.concatenate([np.arange(10), rng.integers(0, 8, count - 10)])  # 8 and 9 are seen once
camera = rng.integers(-1, 3, count)
centres = rng.normal(size=(10, dimension))
vectors = unit(centres[identity] + 1.1 * rng.normal(size=(count, dimension))).astype(np.float32)
distance = metrics.cosine_distance(vectors.astype(np.float64), vectors.astype(np.float64))
itself = np.eye(count, dtype=bool)
same = identity[:, None] == identity[None]
unknown = (camera[:, None] == camera[None]) | (camera[:, None] < 0) | (camera[None] < 0)


def expected(excluded):
    found = metrics.evaluate(distance, identity, identity, excluded)
    return {"meanAveragePrecision": found["mAP"], "meanInverseNegativePenalty": found["mINP"],
            "rank1": found["CMC"][1], "rank5": found["CMC"][5], "rank10": found["CMC"][10],
            "queries": count - found["skipped"], "skipped": found["skipped"]}


# A map: random vectors, and their projection onto a random plane.
points = unit(rng.normal(size=(60, 6))).astype(np.float32)
positions = points @ rng.normal(size=(6, 2))

# Of more points than each has neighbours: otherwise it takes a point for its own.
squared = np.sort(rng.random((40, 30)) * 2, axis=1).astype(np.float32)
conditional = np.asarray(_binary_search_perplexity(squared, 10.0, 0))
(here / "analysis.json").write_text(json.dumps({
    "vectors": vectors.tolist(), "identity": identity.tolist(), "camera": camera.tolist(),
    "all": expected(itself), "crossCamera": expected(itself | same & unknown),
    "points": points.tolist(), "positions": positions.tolist(),
    "trustworthiness": trustworthiness(points.astype(np.float64), positions, n_neighbors=12),
    "squared": squared[:3].tolist(), "conditional": conditional[:3].tolist(),
}))
