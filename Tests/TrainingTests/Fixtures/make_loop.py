"""Makes loop.json: optimisers, groups, clipping, schedules and colours, as PyTorch and Pillow compute them.

    python3 Tests/TrainingTests/Fixtures/make_loop.py          # torch, numpy, pillow; seed 12
"""
import json
import pathlib

import numpy as np
import torch
from PIL import Image, ImageEnhance

here = pathlib.Path(__file__).parent
torch.manual_seed(12)
SHAPES = {"backbone.fc.weight": (4, 3), "backbone.fc.bias": (4,), "head.norm.weight": (5,), "head.norm.bias": (5,)}
GROUPS = [(["*.bias"], 2, 1), (["*.norm.*"], 1, 0), (["backbone."], 0.1, 1)]


def factors(path):
    """The product of the groups that a weight is in, told by hand."""
    rate, decay = 1, 1
    if path.endswith(".bias"):
        rate *= 2
    if ".norm." in path:
        decay *= 0
    if path.startswith("backbone."):
        rate *= 0.1
    return rate, decay


def run(kind, make, decay, grouped=False, clip=None):
    weights = {k: torch.nn.Parameter(torch.randn(s)) for k, s in SHAPES.items()}
    start = {k: v.detach().flatten().tolist() for k, v in weights.items()}
    scale = {k: factors(k) if grouped else (1, 1) for k in weights}
    optimizer = make([{"params": [v], "lr": 0.01, "weight_decay": decay * scale[k][1]} for k, v in weights.items()])
    gradients, after, rates = [], [], []
    for step in range(20):
        rate = 0.02 * (1 - step / 25)
        for group, key in zip(optimizer.param_groups, weights):
            group["lr"] = rate * scale[key][0]
        for v in weights.values():
            v.grad = torch.randn(v.shape) * (0.2 if step % 3 else 2)
        gradients.append({k: v.grad.flatten().tolist() for k, v in weights.items()})
        if clip:
            torch.nn.utils.clip_grad_norm_(weights.values(), clip)
        optimizer.step()
        rates.append(rate)
        after.append({k: v.detach().flatten().tolist() for k, v in weights.items()})
    return {"name": kind, "decay": decay, "grouped": grouped, "clip": clip, "rates": rates, "start": start,
            "gradients": gradients, "after": after}


o = torch.optim
runs = [
    run("adamw", lambda p: o.AdamW(p), 0.05, grouped=True),
    run("adam", lambda p: o.Adam(p, betas=(0.8, 0.95), eps=1e-6), 0.05),
    run("sgd", lambda p: o.SGD(p, lr=1, momentum=0.9), 0.05, grouped=True, clip=1.0),
    run("nesterov", lambda p: o.SGD(p, lr=1, momentum=0.9, nesterov=True), 0.01),
]


def schedule(name, make, steps=40):
    optimizer = o.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
    scheduler = make(optimizer)
    factors = []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return {"name": name, "factors": factors}


s = o.lr_scheduler
schedules = [
    schedule("cosine", lambda p: s.CosineAnnealingLR(p, 40, eta_min=0.05)),
    schedule("step", lambda p: s.MultiStepLR(p, [10, 25], gamma=0.1)),
    schedule("polynomial", lambda p: s.PolynomialLR(p, 40, power=0.9)),
    schedule("linear", lambda p: s.LinearLR(p, 1, 0.2, total_iters=40)),
    # Five steps of rise from 0.1, then a cosine over the other 35.
    schedule("warm", lambda p: s.SequentialLR(p, [
        s.LambdaLR(p, lambda e: 0.1 + 0.9 * (e + 1) / 5), s.CosineAnnealingLR(p, 35)], [5])),
    # GraFT's first stage, with PyTorch's LambdaLR over the formula of the paper's section 5.3.
    schedule("square_root", lambda p: s.LambdaLR(p, lambda e: (e + 1) / 5 if e < 5 else (5 / (e + 1)) ** 0.5)),
]

rng = np.random.default_rng(12)
pixels = rng.integers(0, 256, (6, 7, 3)).astype(np.uint8)
jitters = []
for b, c, d in [(1.3, 0.7, 1.4), (0.6, 1.25, 0.5), (1.0, 1.0, 1.0)]:
    image = Image.fromarray(pixels)
    image = ImageEnhance.Brightness(image).enhance(b)
    image = ImageEnhance.Contrast(image).enhance(c)
    image = ImageEnhance.Color(image).enhance(d)
    jitters.append({"factors": [b, c, d], "pixels": np.asarray(image).flatten().tolist()})
image = Image.fromarray(pixels)
patch = image.crop((2, 1, 6, 4)).convert("L").convert("RGB")
image.paste(patch, (2, 1))
grey = np.asarray(image).flatten().tolist()
padded = np.pad(pixels, ((3, 3), (3, 3), (0, 0)))
crop = padded[3 - 2 : 3 - 2 + 6, 3 + 1 : 3 + 1 + 7]  # down by 2, left by 1
image = Image.fromarray(pixels)
part = np.asarray(image.crop((1, 2, 5, 6)).resize((7, 6), Image.BILINEAR))
luma = np.asarray(image.convert("L").convert("RGB"))

(here / "loop.json").write_text(json.dumps({
    "shapes": SHAPES, "runs": runs, "schedules": schedules,
    "colours": {"pixels": pixels.flatten().tolist(), "jitters": jitters, "grey": grey,
                "crop": crop.flatten().tolist(), "vertical": pixels[::-1].flatten().tolist(),
                "part": part.flatten().tolist(), "luma": luma.flatten().tolist()}}))
