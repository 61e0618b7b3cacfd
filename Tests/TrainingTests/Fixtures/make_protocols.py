"""Makes protocols.json: metrics by the rules of MSVR310, SYSU-MM01, RegDB and LLCM, and galleries as Python's random draws them.

    python3 Tests/TrainingTests/Fixtures/make_protocols.py          # numpy; seed 79

The metrics are those of Tests/Reference/metrics.py. Where a benchmark counts identities, its CMC is computed here a second time, the
way that the benchmark's own code goes: the ranked list is walked, and an identity's second item is passed over.
"""
import json
import pathlib
import random
import sys

import numpy as np

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import metrics  # noqa: E402

rng = np.random.default_rng(79)
q, g = 15, 60
query_id, gallery_id = rng.integers(0, 9, q), rng.integers(0, 8, g)  # identity 8 is not in the gallery
query_camera, gallery_camera = rng.choice([3, 6], q), rng.choice([1, 2, 3, 4], g)
query_scene, gallery_scene = rng.integers(0, 3, q), rng.integers(0, 3, g)
distance = np.round(rng.random((q, g)), 1)  # ties keep gallery order


def walked(excluded, ranks=(1, 5, 10)):
    """CMC over identities, by walking down each list."""
    found = []
    for i in range(q):
        order = [j for j in np.argsort(distance[i], kind="stable") if not excluded[i, j]]
        if not any(gallery_id[j] == query_id[i] for j in order):
            continue
        seen = []
        for j in order:
            if gallery_id[j] not in seen:
                seen.append(gallery_id[j])
        place = seen.index(query_id[i])
        found.append([place < k for k in ranks])
    return np.mean(found, 0)


same = query_id[:, None] == gallery_id[None]
rules = {
    "standard": (same & (query_camera[:, None] == gallery_camera[None]), True),
    "scene": (same & (query_scene[:, None] == gallery_scene[None]), False),
    "sysu": ((query_camera[:, None] == 3) & (gallery_camera[None] == 2), True),
    "all": (np.zeros((q, g), bool), False),
}
expected = {}
for name, (excluded, deduplicate) in rules.items():
    m = metrics.evaluate(distance, query_id, gallery_id, excluded, deduplicate=deduplicate)
    if deduplicate:
        assert np.allclose(walked(excluded), list(m["CMC"].values()))
    expected[name] = {"mAP": m["mAP"], "mINP": m["mINP"], "skipped": m["skipped"], "deduplicated": deduplicate,
                      **{f"r{k}": v for k, v in m["CMC"].items()}}

draws = []
for seed in (0, 1, 9):
    random.seed(seed)
    one = [random.choice(range(n)) for n in (20, 7, 1, 33, 16)]
    random.seed(seed)
    ten = [random.sample(range(n), min(10, n)) for n in (20, 7, 40)]
    draws.append({"seed": seed, "choices": one, "samples": ten})

(here / "protocols.json").write_text(json.dumps({
    "distance": distance.tolist(), "queryIdentity": query_id.tolist(), "galleryIdentity": gallery_id.tolist(),
    "queryCamera": query_camera.tolist(), "galleryCamera": gallery_camera.tolist(),
    "queryScene": query_scene.tolist(), "galleryScene": gallery_scene.tolist(),
    "expected": expected, "draws": draws}))
