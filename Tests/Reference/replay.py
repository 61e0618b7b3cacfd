"""Replays the steps that `triptych train` logged, in PyTorch, and compares the losses.

    python3 Tests/Reference/replay.py RUN DATA [--steps N] [--output FILE]          # also needs pyyaml, pillow

RUN is the run folder, DATA the data set. Augmentation is repeated from the log; the run must have been made
with `dropout: 0`, whose masks only Triptych itself draws again; those of `drop_path` are drawn here too. Prints each step's loss here and in the log; fails where they differ by more than 1e-4 relative, 2e-3 over ResNets. --output writes the
losses as JSON.
"""
import argparse
import json
import pathlib
import re
import sys

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import losses  # noqa: E402
import systems  # noqa: E402
from backbones import drop_paths  # noqa: E402
from splitmix import SplitMix64  # noqa: E402

# Over a ResNet, rounding sooner or later turns a ReLU the other way.
TOLERANCES = {"vit": 1e-4, "resnet": 2e-3}


def changed(a, draw, mean):
    """Pixels [H, W, 3] as the log says they were changed: flipped, shifted with the edge repeated, erased."""
    if draw["flip"]:
        a = a[:, ::-1]
    (h, w), (x, y) = a.shape[:2], draw["shift"]
    a = a[np.clip(np.arange(h) - y, 0, h - 1)][:, np.clip(np.arange(w) - x, 0, w - 1)]
    if draw.get("erase"):
        x, y, w, h = draw["erase"]
        a[y : y + h, x : x + w] = np.floor(np.float32(mean) * 255 + 0.5).astype(np.uint8)
    return a


def images(data, record, config):
    size = (config["input"]["width"], config["input"]["height"])
    draws = record.get("augmentation") or [None] * len(record["files"])
    batch = {}
    for m in config["modalities"]:
        rows = []
        for name, draw in zip(record["files"], draws):
            path = next((data / "train" / m).glob(name + ".*"))
            image = Image.open(path).convert("RGB").resize(size, Image.BILINEAR)
            pixels = np.asarray(image)
            a = (changed(pixels, draw, config["input"]["mean"][m]) if draw else pixels).astype(np.float32) / 255
            rows.append((a - np.float32(config["input"]["mean"][m])) / np.float32(config["input"]["std"][m]))
        batch[m] = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
    return batch


def graft(o, y, centers, record, loss):
    (z, logits), data = o["fused"], o["data"][:, loss.get("data_token", 0)]
    t = torch.tensor(record["triples"])
    pick = {"F": z, "D": data}
    kind = loss.get("combination", "FFD")
    terms = {"triplet": losses.augmented_triplet(*(pick[c][t[:, i]] for i, c in enumerate(kind))),
             "center": losses.center(z, y, centers),
             "cross_entropy": losses.cross_entropy(logits, y, loss.get("label_smoothing", 0.0))}
    total = sum(loss.get(k, {"triplet": 0.5, "center": 0, "cross_entropy": 0.5}[k]) * v for k, v in terms.items())
    return total, {k: v.item() for k, v in terms.items()}


def indices(texts, vocabulary, longest):
    """Captions as indices and the mask of their words."""
    known = {w.lower(): i for i, w in enumerate(vocabulary) if i}
    rows = [[known[w] for w in re.findall(r"[^\W_]+", t.lower()) if w in known][:longest] for t in texts]
    width = max(map(len, rows))
    return (torch.tensor([r + [0] * (width - len(r)) for r in rows]),
            torch.tensor([[i < len(r) for i in range(width)] for r in rows]))


def step(model, centers, record, loss, config, data):
    """The loss of a step that was logged, and GraFT's terms of it."""
    y, system = torch.tensor(record["identities"]), config["system"]
    smoothing = loss.get("label_smoothing", 0.0)
    if record.get("texts"):
        text = config["head"]["text"]
        z = model.text(*indices(record["texts"], text["vocabulary"], text["max_tokens"]))
    else:
        x = images(data, record, config)
        z = model.embed(x) if system == "dmf" else None
    if system == "dmf":
        triplet = losses.batch_hard_triplet(z, y, loss.get("margin", 0.0), squared=True)
        return (loss.get("triplet", 1.0) * triplet
                + loss.get("cross_entropy", 1.0) * losses.cross_entropy(model.classify(z), y, smoothing)), {}
    if system == "mixer":
        n = len(x)
        weights = (loss.get("modality", 0.4), loss.get("orthogonality", 0.6), loss.get("fused", 0.4))
        o = model(torch.cat([x[m] for m in config["modalities"]]))
        return losses.mixer(o, y.repeat(n), torch.arange(n).repeat_interleave(len(y)), n, weights,
                            (loss.get("erased", 1.0), loss.get("related", 1.0))), {}
    o = model(x)
    if system == "graft":
        return graft(o, y, centers, record, loss)
    if system == "ieee":
        return losses.ieee(o, y, loss.get("multi_modal_margin", 1.0), loss.get("distance", 1.0), smoothing), {}
    return losses.late_fusion(o, y, loss.get("cross_entropy", 1.0), loss.get("margin", 0.0), smoothing,
                              loss.get("triplet", 1.0)), {}


def make_optimizer(parameters, stage):
    decay = stage.get("weight_decay", 0.01)
    if stage.get("optimizer") == "sgd":
        return torch.optim.SGD(parameters, lr=1, momentum=stage.get("momentum", 0.9), weight_decay=decay)
    return torch.optim.AdamW(parameters, weight_decay=decay)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run", type=pathlib.Path)
    a.add_argument("data", type=pathlib.Path)
    a.add_argument("--steps", type=int)
    a.add_argument("--output", type=pathlib.Path)
    a = a.parse_args()
    recipe = yaml.safe_load((a.run / "recipe.yaml").read_text())
    newer = {"groups", "clip_norm", "freeze_for", "nesterov", "betas", "epsilon"} & set().union(*recipe["stages"])
    augment = recipe.get("augment")
    newer |= set(augment if isinstance(augment, dict) else {}) - {"flip", "erase", "shift"}
    if newer or recipe.get("modality_dropout"):
        sys.exit(f"not repeated here: {', '.join(sorted(newer)) or 'modality_dropout'}")
    initial = a.run / "checkpoints" / "initial.safetensors"
    with safe_open(initial, "pt") as f:
        config = json.loads(f.metadata()["triptych"])
    model = systems.build(config, config["identities"])
    model.load_state_dict(load_file(initial), strict=False)
    model.train()
    centers = a.run / "checkpoints" / "centers.safetensors"
    centers = torch.nn.Parameter(load_file(centers)["centers"]) if centers.exists() else None
    records = [json.loads(line) for line in (a.run / "steps.jsonl").read_text().splitlines()][: a.steps]
    stages = {s.get("name", f"stages.{i}"): s for i, s in enumerate(recipe["stages"])}
    learned = {n for n, p in model.named_parameters() if p.requires_grad}
    current, optimizer, results, worst = None, None, [], 0.0
    for record in records:
        stage = stages[record["stage"]]
        loss = {k: v for k, v in stage.get("loss", {}).items()}
        if record["stage"] != current:
            current, frozen = record["stage"], tuple(stage.get("freeze", []))
            for n, p in model.named_parameters():
                p.requires_grad_(not (frozen and n.startswith(frozen)) and n in learned)
            trained = [p for p in model.parameters() if p.requires_grad] + ([centers] if loss.get("center") else [])
            optimizer = make_optimizer(trained, stage)
        for group in optimizer.param_groups:
            group["lr"] = record["learning_rate"]
        if record.get("drop_path"):
            drop_paths(model, recipe["drop_path"], SplitMix64(record["drop_path"]))
        total, terms = step(model, centers, record, loss, config, a.data)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        results.append({"loss": total.item(), "terms": terms})
        difference = abs(total.item() - record["loss"]) / abs(total.item())
        worst = max(worst, difference)
        print(f"step {record['step']:5d}  reference {total.item():.6f}  logged {record['loss']:.6f}  {difference:.1e}")
    tolerance = TOLERANCES[config["backbone"]["kind"]]
    if a.output:
        a.output.write_text(json.dumps(results, indent=1) + "\n")
    print(f"worst {worst:.1e}, tolerance {tolerance:.0e}: {'ok' if worst <= tolerance else 'FAILED'}")
    sys.exit(worst > tolerance)


if __name__ == "__main__":
    main()
