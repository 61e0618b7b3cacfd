"""Makes rerank.json: vectors, the first of which is a query, and the distances by which k-reciprocal encoding ranks the others.

    python3 Tests/GalleryTests/Fixtures/make_rerank.py
"""
import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
from metrics import k_reciprocal  # noqa: E402

generator = np.random.default_rng(5)
cases = []
for count, identities, k1, k2 in [(60, 8, 20, 6), (60, 8, 7, 1), (12, 3, 20, 6), (3, 2, 20, 6)]:
    centres = generator.standard_normal((identities, 6))
    vectors = centres[np.arange(count) % identities] + 0.7 * generator.standard_normal((count, 6))
    cases.append({"k1": k1, "k2": k2, "vectors": np.round(vectors, 6).tolist(),
                  "distances": k_reciprocal(np.round(vectors, 6)[:1], np.round(vectors, 6)[1:], k1, k2)[0].tolist()})
(here / "rerank.json").write_text(json.dumps(cases))
