"""Makes the golden numbers of every system: embeddings, losses, gradients, batch statistics and twenty training steps.

    python3 Tests/Reference/golden.py Tests/TrainingTests/Fixtures/systems.json          # torch, numpy
    python3 Tests/Reference/golden.py Tests/TrainingTests/Fixtures/variants.json VARIANTS
    python3 Tests/Reference/golden.py Tests/TrainingTests/Fixtures/clip.json graft-clip unicat-clip

Weights and inputs are too large to commit, so both sides draw them: element i of the tensor NAME is a function of NAME and
i alone (SplitMix64 on FNV-1a of the name; `draw` below, SeededTensors.swift in the tests). A tensor of results is committed
as its norm and its products with three vectors of signs, drawn likewise.
"""
import json
import math
import sys

import numpy as np
import torch

import configs
import losses
import systems
from backbones import drop_paths
from splitmix import SplitMix64

SEED, MASK, INCREMENT = 17, (1 << 64) - 1, 0x9E3779B97F4A7C15
LABELS, IDENTITIES = [0, 0, 1, 1, 2, 2, 3, 3], 4
TRIPLES = torch.tensor([[0, 1, 2], [1, 0, 3], [2, 3, 0], [7, 6, 1]])
TEXTS = [[1, 3, 5], [2, 4, 6, 8, 9], [1], [2, 7, 9, 3], [5, 5], [6, 1, 2], [8], [4, 3]]
# An epsilon so large that a gradient of nothing but rounding moves nothing: by PyTorch's default, its sign would count.
STEPS, RATE, DECAY, EPSILON = 20, 1e-3, 0.01, 1e-2
# Fifty layers of batch statistics over a batch this small turn float32's rounding into percents, in PyTorch as well: there
# the statistics are fixed, and one step is taken.
FIXED = {"unicat-resnet-50"}

VIT = configs.vit(64, 2, 4, patch=8)
CASES = {
    "unicat-vit": configs.config("unicat", configs.vit(64, 2, 4, patch=8, stride=6), 32, 64),
    "unicat-resnet-18": configs.config("unicat", configs.resnet(18), 32, 16, modalities=["rgb"]),
    "unicat-resnet-50": configs.config("unicat", configs.resnet(50), 32, 16, modalities=["nir"]),
    "fusion-average-vit": configs.config("fusion_average", VIT, 64, 32),
    "fusion-concat-vit": configs.config("fusion_concat", VIT, 64, 32),
    "graft": configs.config("graft", configs.vit(64, 2, 4, patch=8, distilled=True), 64, 64,
                            {"fusion_tokens": 1, "heads": 8, "feedforward": 128, "dropout": 0.0}),
    "ieee": configs.config("ieee", configs.resnet(18), 48, 16,
                           {"parts": 3, "reduced": 96, "part_width": 32, "attention_ratio": 16},
                           modalities=["nir", "tir"]),
    "mixer-resnet-18": configs.config("mixer", configs.resnet(18), 32, 16, modalities=["rgb", "nir"]),
    "mixer-vit": configs.config("mixer", configs.vit(64, 3, 4, patch=8), 64, 32),
    "dmf": configs.config("dmf", VIT, 64, 32, configs.DMF_HEAD),
    "dmf-text": configs.config("dmf", VIT, 64, 32, configs.DMF_HEAD),
}
# Of losses, where they are others than a system's own; `drop_path` is its rate, drawn anew in each step from the step's
# number.
OPTIONS = {
    "fusion-average-two": {"triplet": 0.5},
    "ieee-plain": {"delta": 0.0},
    "mixer-erased": {"weights": (0.4, 0.0, 0.4), "halves": (1.0, 0.0)},
    "mixer-related": {"weights": (0.0, 0.0, 0.4), "halves": (0.0, 1.0)},
    "mixer-cross-resnet-18": {"weights": (0.0, 0.6, 0.4)},  # One modality has nothing to tell.
    "fusion-average-two-after": {"triplet": 0.5},
    "mixer-erased-after": {"weights": (0.4, 0.0, 0.4), "halves": (1.0, 0.0)},
    "unicat-drop-path": {"drop_path": 0.4},
    "mixer-drop-path": {"drop_path": 0.4},
}
# In a file of their own.
CLIP_CASES = {
    "graft-clip": configs.config("graft", dict(VIT, **configs.CLIP), 64, 32,
                                 {"fusion_tokens": 1, "heads": 8, "feedforward": 128, "dropout": 0.0},
                                 modalities=["rgb", "tir"]),
    "unicat-clip": configs.config("unicat", dict(VIT, **configs.CLIP), 32, 64, modalities=["rgb", "tir"]),
}
ALL = {**CASES, **configs.VARIANTS, **{name: dict(case, format=2) for name, case in CLIP_CASES.items()}}
# Names of inputs, chosen with --search so that no ReLU's argument is so near 0 that rounding decides its gradient.
INPUTS = {"unicat-resnet-18": 219, "unicat-resnet-50": 40, "ieee": 85, "mixer-resnet-18": 181,
          "ieee-plain": 31, "ieee-interaction": 31, "mixer-cross-resnet-18": 9}


def scramble(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(name, count):
    """`count` words of the stream of a name."""
    key = 14695981039346656037
    for byte in name.encode():
        key = ((key ^ byte) * 1099511628211) & MASK
    with np.errstate(over="ignore"):
        state = scramble(np.array([SEED], np.uint64))
        state = scramble((state ^ np.uint64(key)) + np.uint64(INCREMENT))
        return scramble(state + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(INCREMENT))


def uniform(name, shape, low, high):
    unit = (words(name, math.prod(shape)) >> np.uint64(40)).astype(np.float32) * np.float32(2.0 ** -24)
    low, high = np.float32(low), np.float32(high)
    return torch.from_numpy(low + (high - low) * unit).reshape(shape)


def draw(name, shape):
    last = name.split(".")[-1]
    if last == "running_var" or (last == "weight" and len(shape) == 1):
        return uniform(name, shape, 0.5, 1.5)
    if "neck" in name and last == "bias":
        return torch.zeros(shape)
    if last == "running_mean":
        return uniform(name, shape, -0.2, 0.2)
    if len(shape) == 1 or last.endswith("_token") or last.endswith("pos_embed"):
        return uniform(name, shape, -0.05, 0.05)
    if name.startswith(("text_embed", "input", "centers")):
        return uniform(name, shape, -1.5, 1.5)
    bound = math.sqrt(3 / (math.prod(shape) // shape[0]))
    return uniform(name, shape, -bound, bound)


def images(modality, config, salt):
    """Noise, and a colour for each image, so that images differ by more than noise: else deep batch norms would divide one
    rounding error by another."""
    h, w = config["input"]["height"], config["input"]["width"]
    noise = draw(f"input{salt}.{modality}", (len(LABELS), 3, h, w))
    return noise + draw(f"input{salt}.colour.{modality}", (len(LABELS), 3, 1, 1))


def summary(name, tensor):
    """[norm, three products with signs]."""
    flat = tensor.detach().double().reshape(-1).numpy()
    signs = [(words(f"sign {k} {name}", flat.size) >> np.uint64(63)).astype(np.float64) * 2 - 1 for k in range(3)]
    return [float(np.linalg.norm(flat))] + [float(flat @ s) for s in signs]


def objective(case, model, x, centers):
    y, system, options = torch.tensor(LABELS), ALL[case]["system"], dict(OPTIONS.get(case, {}))
    options.pop("drop_path", None)
    if case == "dmf-text" or system == "dmf":
        if case == "dmf-text":
            longest = max(map(len, TEXTS))
            ids = torch.tensor([t + [0] * (longest - len(t)) for t in TEXTS])
            mask = torch.tensor([[i < len(t) for i in range(longest)] for t in TEXTS])
            z = model.text(ids, mask)
        else:
            z = model.fused(x)
        return losses.batch_hard_triplet(z, y, squared=True) + losses.cross_entropy(model.classify(z), y)
    if system == "mixer":
        n = len(x)
        output = model(torch.cat([x[m] for m in ALL[case]["modalities"]]))
        return losses.mixer(output, y.repeat(n), torch.arange(n).repeat_interleave(len(y)), n, **options)
    output = model(x)
    if system == "ieee":
        return losses.ieee(output, y, smoothing=0.1, **options)
    if system == "graft":
        (z, logits), data = output["fused"], output["data"][:, 0]
        triplet = losses.augmented_triplet(z[TRIPLES[:, 0]], z[TRIPLES[:, 1]], data[TRIPLES[:, 2]])
        return 0.5 * triplet + 0.01 * losses.center(z, y, centers) + 0.5 * losses.cross_entropy(logits, y, 0.1)
    return losses.late_fusion(output, y, weight=0.7, margin=0.2, smoothing=0.1, **options)


def activations(case, salt, dtype):
    """What every ReLU is given, in order."""
    seen, relu = [], torch.nn.functional.relu

    def watched(x, inplace=False):
        seen.append(x.detach().double())
        return relu(x)

    torch.nn.functional.relu = watched
    model, x, centers = made(case, salt)
    model.to(dtype).train(case not in FIXED)
    objective(case, model, {m: v.to(dtype) for m, v in x.items()}, centers.to(dtype))
    torch.nn.functional.relu = relu
    return seen


def search(case):
    """The input whose ReLUs' arguments stay farthest from 0, in units of what float32 is off by."""
    margins = {}
    for salt in range(400):
        pairs = zip(*(activations(case, salt, dtype) for dtype in (torch.float64, torch.float32)))
        margins[salt] = min(((a.abs().min() / (a - b).pow(2).mean().sqrt()).item() for a, b in pairs), default=1)
        if margins[salt] > 8:
            break
    best = max(margins, key=margins.get)
    print(f"{case}: {best}, margin {margins[best]:.1f}", flush=True)


def made(case, salt):
    config = dict(ALL[case], identities=IDENTITIES)
    model = systems.build(config, IDENTITIES)
    model.load_state_dict({k: draw(k, v.shape) if v.dim() else v for k, v in model.state_dict().items()})
    model.double()  # The truth; float32 would only be another opinion.
    x = {m: images(m, config, salt).double() for m in config["modalities"]}
    centers = torch.nn.Parameter(draw("centers", (IDENTITIES, config["backbone"].get("projection") or config["backbone"].get("width", 512))).double())
    return model, x, centers


def golden(case):
    salt = INPUTS.get(case, 0)
    model, x, centers = made(case, salt)
    config = dict(ALL[case], identities=IDENTITIES)
    result = {"config": config, "input": salt, "fixed": case in FIXED, "embeddings": {}}
    model.eval()
    with torch.no_grad():
        for subset in [list(x)[:k] for k in range(1, len(x) + 1)]:
            z = torch.nn.functional.normalize(model.embed({m: x[m] for m in subset}), dim=1)
            result["embeddings"]["+".join(subset)] = summary("embedding", z)
    model.train(case not in FIXED)
    rate = RATE if config["backbone"]["kind"] == "vit" else RATE / 400
    named = dict(model.named_parameters(), **({"centers": centers} if config["system"] == "graft" else {}))
    named = {n: p for n, p in named.items() if p.requires_grad}
    optimizer = torch.optim.AdamW(named.values(), lr=rate, weight_decay=DECAY, eps=EPSILON)
    result["rate"], result["steps"] = rate, []
    for step in range(1 if case in FIXED else STEPS):
        optimizer.zero_grad()
        if rate_of_paths := OPTIONS.get(case, {}).get("drop_path"):
            drop_paths(model, rate_of_paths, SplitMix64(step))
        loss = objective(case, model, x, centers)
        loss.backward()
        result["steps"].append(loss.item())
        if step == 0:
            result["gradients"] = {n: summary(n, p.grad) for n, p in named.items() if p.grad is not None}
            result["statistics"] = {k: summary(k, v) for k, v in model.state_dict().items() if "running" in k}
        optimizer.step()
    return result


def compact(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [compact(v) for v in value]
    return {k: compact(v) for k, v in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    torch.manual_seed(0)
    if sys.argv[1] == "--search":
        cases = sys.argv[2:] or [case for case in ALL if "resnet" in str(ALL[case]) or case == "ieee"]
        sys.exit([search(case) for case in cases] and 0)
    cases = configs.VARIANTS if sys.argv[2:] == ["VARIANTS"] else sys.argv[2:] or CASES
    with open(sys.argv[1], "w") as file:
        json.dump({case: compact(golden(case)) for case in cases}, file, separators=(",", ":"))
        file.write("\n")
