"""Makes comparison.json: what each of the seven systems makes of every set of modalities, and how every set compares with every
other, by Tests/Reference/comparison.py. Needs torch and safetensors.

    python3 Tests/GalleryTests/Fixtures/make_comparison.py
"""
import base64
import itertools
import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import comparison  # noqa: E402
import configs  # noqa: E402
import systems  # noqa: E402
from export import randomise, sample  # noqa: E402

NAMES = ["unicat-vit", "fusion-average-resnet-50", "fusion-concat-vit", "graft", "ieee-resnet-18", "mixer-vit", "dmf"]
BATCH = 2


def encoded(part, known):
    """Places in a list: a sum's part of a modality is the same in every set."""
    rows = [base64.b64encode(row.numpy().astype("<f4").tobytes()).decode() for row in part]
    known += [row for row in rows if row not in known]
    return [known.index(row) for row in rows]


cases = []
torch.manual_seed(3)
for name in NAMES:
    config = dict(configs.SMALL[name], identities=5)
    model = systems.build(config, 5)
    randomise(model)
    model.eval()
    x = sample(config, BATCH)
    sets = [s for k in range(1, 4) for s in itertools.combinations(x, k)]
    with torch.no_grad():
        parts = [comparison.parts(model, config, {m: x[m] for m in s}) for s in sets]
        scores = [[comparison.scores(q, g, config) for g in parts] for q in parts]
    vectors = []
    cases.append({
        "name": name, "combination": "blocks" if config["system"] in comparison.BLOCKS else "sum",
        "modalities": config["modalities"], "parts": [{m: encoded(p, vectors) for m, p in made.items()} for made in parts],
        "vectors": vectors,
        "scores": [[None if s is None else [[round(v, 7) for v in r] for r in s.tolist()] for s in row] for row in scores]})
(here / "comparison.json").write_text(json.dumps(cases, separators=(",", ":")))
