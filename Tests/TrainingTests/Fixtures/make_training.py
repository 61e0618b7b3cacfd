"""Makes adamw.json, sgd.json, metrics.json and the triples of replay/data.

    python3 Tests/TrainingTests/Fixtures/make_training.py          # torch, numpy, pillow; seed 11

replay/ further holds a run of `triptych train` on these triples and what the reference computes from it:

    triptych train --config Tests/TrainingTests/Fixtures/replay/recipe.yaml --data Tests/TrainingTests/Fixtures/replay/data \\
        --output /tmp/run --seed 5
    cp -r /tmp/run/steps.jsonl /tmp/run/checkpoints Tests/TrainingTests/Fixtures/replay/    # initial and centers only
    python3 Tests/Reference/replay.py /tmp/run Tests/TrainingTests/Fixtures/replay/data \\
        --output Tests/TrainingTests/Fixtures/replay/expected.json
"""
import json
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import metrics  # noqa: E402

torch.manual_seed(11)
rng = np.random.default_rng(11)

# AdamW: a parameter after each of six steps on given gradients.
p = torch.nn.Parameter(torch.randn(7))
start = p.detach().tolist()
optimizer = torch.optim.AdamW([p], lr=0.01, weight_decay=0.05)
gradients, after, rates = [], [], []
for step in range(6):
    p.grad = torch.randn(7)
    rate = 0.01 * (step + 1) / 6
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    gradients.append(p.grad.tolist()), after.append(p.detach().tolist()), rates.append(rate)
(here / "adamw.json").write_text(json.dumps(
    {"start": start, "weightDecay": 0.05, "rates": rates, "gradients": gradients, "after": after}))

# Metrics: distances with ties, queries without an admissible positive.
q, g = 12, 40
query_id, gallery_id = rng.integers(0, 6, q), rng.integers(0, 5, g)  # identity 5 is not in the gallery
query_camera, gallery_camera = rng.integers(0, 3, q), rng.integers(0, 3, g)
distance = np.round(rng.random((q, g)), 1)  # ties keep gallery order
excluded = metrics.same_identity_and(query_id, gallery_id, query_camera, gallery_camera)
(here / "metrics.json").write_text(json.dumps({
    "distance": distance.tolist(), "queryIdentity": query_id.tolist(), "galleryIdentity": gallery_id.tolist(),
    "queryCamera": query_camera.tolist(), "galleryCamera": gallery_camera.tolist(),
    "expected": {("r" + str(k) if isinstance(k, int) else k): v for k, v in
                 (lambda m: {"mAP": m["mAP"], "mINP": m["mINP"], "skipped": m["skipped"], **m["CMC"]})(
                     metrics.evaluate(distance, query_id, gallery_id, excluded)).items()}}))

# Triples: five identities, two cameras, two sightings each, 32x16 pixels.
for m, modality in enumerate(("rgb", "nir", "tir")):
    folder = here / "replay" / "data" / "train" / modality
    folder.mkdir(parents=True, exist_ok=True)
    for identity in range(5):
        base = rng.integers(40, 215, (4, 8, 3)).repeat(4, 0).repeat(4, 1)
        for camera in (1, 2):
            for n in range(2):
                a = np.clip(base + rng.integers(-25, 25, (16, 32, 3)), 0, 255).astype(np.uint8) // 16 * 16
                if m:
                    a = a[..., :1].repeat(3, 2)
                Image.fromarray(a).convert("RGB" if m == 0 else "L").save(
                    folder / f"{identity:04d}_c{camera}_{n:03d}.png", optimize=True)

# SGD on AdamW's gradients.
p = torch.nn.Parameter(torch.tensor(start))
optimizer, after = torch.optim.SGD([p], lr=1, momentum=0.9, weight_decay=0.05), []
for rate, gradient in zip(rates, gradients):
    optimizer.param_groups[0]["lr"], p.grad = rate, torch.tensor(gradient)
    optimizer.step()
    after.append(p.detach().tolist())
(here / "sgd.json").write_text(json.dumps(
    {"start": start, "weightDecay": 0.05, "rates": rates, "gradients": gradients, "after": after}))
