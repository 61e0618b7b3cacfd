"""Replays the steps that `triptych train` logged, in PyTorch, and compares the losses.

    python3 Tests/Reference/replay.py RUN DATA [--steps N] [--output FILE]          # also needs pyyaml, pillow

RUN is the run folder, DATA the data set. The run must have been made with `augment: none` and `dropout: 0`. Prints each
step's loss here and in the log; fails where they differ by more than 1e-4 relative. --output writes the losses as JSON.
"""
import argparse
import json
import pathlib
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

TOLERANCE = 1e-4


def images(data, files, config):
    size = (config["input"]["width"], config["input"]["height"])
    batch = {}
    for m in config["modalities"]:
        rows = []
        for name in files:
            path = next((data / "train" / m).glob(name + ".*"))
            image = Image.open(path).convert("RGB").resize(size, Image.BILINEAR)
            a = np.asarray(image, np.float32) / 255
            rows.append((a - np.float32(config["input"]["mean"][m])) / np.float32(config["input"]["std"][m]))
        batch[m] = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
    return batch


def step(model, centers, x, record, loss):
    o = model(x)
    (z, logits), data = o["fused"], o["data"][:, loss.get("data_token", 0)]
    t, y = torch.tensor(record["triples"]), torch.tensor(record["identities"])
    pick = {"F": z, "D": data}
    kind = loss.get("combination", "FFD")
    terms = {"triplet": losses.augmented_triplet(*(pick[c][t[:, i]] for i, c in enumerate(kind))),
             "center": losses.center(z, y, centers),
             "cross_entropy": losses.cross_entropy(logits, y, loss.get("label_smoothing", 0.0))}
    total = sum(loss.get(k, {"triplet": 0.5, "center": 0, "cross_entropy": 0.5}[k]) * v for k, v in terms.items())
    return total, terms


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run", type=pathlib.Path)
    a.add_argument("data", type=pathlib.Path)
    a.add_argument("--steps", type=int)
    a.add_argument("--output", type=pathlib.Path)
    a = a.parse_args()
    recipe = yaml.safe_load((a.run / "recipe.yaml").read_text())
    initial = a.run / "checkpoints" / "initial.safetensors"
    with safe_open(initial, "pt") as f:
        config = json.loads(f.metadata()["triptych"])
    model = systems.build(config, config["identities"])
    model.load_state_dict(load_file(initial), strict=False)
    model.train()
    centers = torch.nn.Parameter(load_file(a.run / "checkpoints" / "centers.safetensors")["centers"])
    records = [json.loads(line) for line in (a.run / "steps.jsonl").read_text().splitlines()][: a.steps]
    stages = {s.get("name", f"stages.{i}"): s for i, s in enumerate(recipe["stages"])}
    current, optimizer, results, worst = None, None, [], 0.0
    for record in records:
        stage = stages[record["stage"]]
        loss = {k: v for k, v in stage.get("loss", {}).items()}
        if record["stage"] != current:
            current, frozen = record["stage"], tuple(stage.get("freeze", []))
            for n, p in model.named_parameters():
                p.requires_grad_(not (frozen and n.startswith(frozen)) and n != "neck.bias")
            trained = [p for p in model.parameters() if p.requires_grad] + ([centers] if loss.get("center") else [])
            optimizer = torch.optim.AdamW(trained, weight_decay=stage.get("weight_decay", 0.01))
        for group in optimizer.param_groups:
            group["lr"] = record["learning_rate"]
        total, terms = step(model, centers, images(a.data, record["files"], config), record, loss)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        results.append({"loss": total.item(), "terms": {k: v.item() for k, v in terms.items()}})
        difference = abs(total.item() - record["loss"]) / abs(total.item())
        worst = max(worst, difference)
        print(f"step {record['step']:5d}  reference {total.item():.6f}  logged {record['loss']:.6f}  {difference:.1e}")
    if a.output:
        a.output.write_text(json.dumps(results, indent=1) + "\n")
    print(f"worst {worst:.1e}, tolerance {TOLERANCE:.0e}: {'ok' if worst <= TOLERANCE else 'FAILED'}")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
