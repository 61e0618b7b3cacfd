"""Replays the steps that `triptych train` logged, in PyTorch, and compares the losses.

    python3 Tests/Reference/replay.py RUN DATA [--steps N] [--output FILE]          # also needs pyyaml, pillow

RUN is the run folder, DATA the data set (ours, `triples`). What was drawn is repeated from the log: batches, lost modalities,
augmentation but for erasing with noise. The run must have been made with `dropout: 0`, whose masks only Triptych draws
again; those of `drop_path` are drawn here too.

Prints each step's loss here and in the log. They agree to 1e-4, relative, as long as training is not chaotic: a second replay
beside the first begins 1e-7 away, about a rounding, and once ten times what parts these two is more than 1e-4, rounding alone
may turn the run elsewhere, and nothing is promised from there. Fails where a step before that differs by more. --output
writes the losses as JSON.
"""
import argparse
import copy
import fnmatch
import json
import pathlib
import re
import sys

import numpy as np
import torch
import yaml
from PIL import Image, ImageEnhance
from safetensors import safe_open
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import losses  # noqa: E402
import systems  # noqa: E402
from backbones import drop_paths, global_feature  # noqa: E402
from splitmix import SplitMix64  # noqa: E402

TOLERANCE = 1e-4
# How many times what a rounding comes to a difference may be: one rounds in many places.
ALLOWANCE = 10


def luma(a):
    """As Pillow converts to grey."""
    return ((a.astype(np.int64) @ np.array([19595, 38470, 7471]) + 0x8000) >> 16).astype(np.uint8)


def jittered(a, factors):
    image = Image.fromarray(a)
    for kind, factor in zip((ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), factors):
        image = kind(image).enhance(factor)
    return np.asarray(image)


def changed(a, draw, mean):
    """Pixels [H, W, 3] as the log says they were changed, in its order."""
    if draw["flip"]:
        a = a[:, ::-1]
    if draw.get("vertical"):
        a = a[::-1]
    (h, w), (x, y) = a.shape[:2], draw["shift"]
    a = np.ascontiguousarray(a[np.clip(np.arange(h) - y, 0, h - 1)][:, np.clip(np.arange(w) - x, 0, w - 1)])
    if draw.get("crop"):
        (x, y), p = draw["crop"], max(map(abs, draw["crop"]))
        a = np.pad(a, ((p, p), (p, p), (0, 0)))[p - y : p - y + h, p - x : p - x + w]
    if draw.get("part"):
        x, y, pw, ph = draw["part"]
        a = np.asarray(Image.fromarray(a).crop((x, y, x + pw, y + ph)).resize((w, h), Image.BILINEAR))
    if draw.get("jitter"):
        a = jittered(np.ascontiguousarray(a), draw["jitter"])
    a = a.copy()
    if draw.get("channel") is not None:
        a[:] = (luma(a) if draw["channel"] == 3 else a[..., draw["channel"]])[..., None]
    if draw.get("grey"):
        x, y, gw, gh = draw["grey"]
        a[y : y + gh, x : x + gw] = luma(a[y : y + gh, x : x + gw])[..., None]
    if draw.get("erase"):
        x, y, ew, eh = draw["erase"]
        level = draw.get("level")
        a[y : y + eh, x : x + ew] = np.floor(np.float32(mean) * 255 + 0.5).astype(np.uint8) if level is None else level
    return a


def images(data, record, config):
    """{modality: (images, which triples they are of)}, without what was lost."""
    size = (config["input"]["width"], config["input"]["height"])
    present = record.get("modalities") or config["modalities"]
    sets = record.get("sets") or [present] * len(record["files"])
    draws = record.get("augmentation") or [None] * len(record["files"])
    each = len(draws) // len(record["files"])
    batch = {}
    for place, m in enumerate(present):
        rows, own = [], [row for row, s in enumerate(sets) if m in s]
        mean = config["input"]["mean"][m]
        for row in own:
            path = next((data / "train" / m).glob(record["files"][row] + ".*"))
            pixels = np.asarray(Image.open(path).convert("RGB").resize(size, Image.BILINEAR))
            draw = draws[row * each + (place if each > 1 else 0)]
            a = (changed(pixels, draw, mean) if draw else pixels).astype(np.float32) / 255
            rows.append((a - np.float32(mean)) / np.float32(config["input"]["std"][m]))
        if own:
            batch[m] = (torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2), torch.tensor(own))
    return batch


def placed(x, rows, count):
    return torch.zeros(count, *x.shape[1:]).index_copy(0, rows, x)


def mean_of(parts, count):
    """The mean over what each triple has, of {modality: (rows of it, which triples)}."""
    total = sum(placed(x, rows, count) for x, rows in parts.values())
    number = sum(placed(torch.ones(len(x)), rows, count) for x, rows in parts.values())
    return total / number.reshape(-1, *[1] * (total.dim() - 1))


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


def partial(model, x, count, config):
    """What losses need of a batch of which triples have lost modalities, each its own."""
    system = config["system"]
    if system == "graft":
        tokens, k = {}, model.fusion_token.shape[1]
        for m, (image, rows) in x.items():
            t = model.backbone(image)
            tokens[m] = (model.encoders[m](torch.cat([model.fusion_token.expand(len(t), -1, -1), t], 1)), rows)
        mean = mean_of(tokens, count)
        z = mean[:, :k].mean(1)
        return {"fused": (z, model.classifier(model.neck(z))), "data": mean[:, k:]}
    features = {m: (global_feature(model.encoders[m], image), rows) for m, (image, rows) in x.items()}
    if system == "fusion_average":
        z = mean_of(features, count)
    else:
        width = next(iter(features.values()))[0].shape[1]
        z = torch.cat([placed(*features[m], count) if m in features else torch.zeros(count, width)
                       for m in config["modalities"]], 1)
    return {"fused": (z, model.classifier(model.neck(z)))}


def identity_loss(z, logits, y, loss, squared=False):
    """The batch-hard triplet loss, 0 where there is one identity alone, and the cross-entropy."""
    triplet = losses.batch_hard_triplet(z, y, loss.get("margin", 0.0), squared) if len(y.unique()) > 1 else 0
    return loss.get("triplet", 1.0) * triplet + loss.get("cross_entropy", 1.0) * losses.cross_entropy(logits, y, loss.get("label_smoothing", 0.0))


def mixer_loss(model, x, y, loss, config):
    weights = (loss.get("modality", 0.4), loss.get("orthogonality", 0.6), loss.get("fused", 0.4))
    present = [m for m in config["modalities"] if m in x]
    which = torch.cat([torch.full((len(x[m][1]),), config["modalities"].index(m)) for m in present])
    return losses.mixer(model(torch.cat([x[m][0] for m in present])), torch.cat([y[x[m][1]] for m in present]), which,
                        len(config["modalities"]), weights, (loss.get("erased", 1.0), loss.get("related", 1.0)))


def step(model, centers, record, loss, config, data):
    """The loss of a step that was logged, and GraFT's terms of it."""
    y, system = torch.tensor(record["identities"]), config["system"]
    if record.get("texts"):
        text = config["head"]["text"]
        z = model.text(*indices(record["texts"], text["vocabulary"], text["max_tokens"]))
        return identity_loss(z, model.classify(z), y, loss, True), {}
    x = images(data, record, config)
    if system == "dmf":
        z = mean_of({m: (model.image(image, m), rows) for m, (image, rows) in x.items()}, len(y))
        return identity_loss(z, model.classify(z), y, loss, True), {}
    if system == "mixer":
        return mixer_loss(model, x, y, loss, config), {}
    whole = all(len(rows) == len(y) for _, rows in x.values())
    if not whole and (system == "ieee" or config.get("networks", 1) > 1 or str(config.get("head", {}).get("fusion")).startswith("vanilla")):
        sys.exit("not repeated here: this system on triples that have each lost their own modalities")
    if not whole and system == "unicat":
        heads = [(global_feature(model.encoders[m], image), m, y[rows]) for m, (image, rows) in x.items()]
        return sum(identity_loss(z, model.classifiers[m](model.necks[m](z)), own, loss) for z, m, own in heads), {}
    o = model({m: image for m, (image, _) in x.items()}) if whole else partial(model, x, len(y), config)
    if system == "graft":
        return graft(o, y, centers, record, loss)
    if system == "ieee":
        return losses.ieee(o, y, loss.get("multi_modal_margin", 1.0), loss.get("distance", 1.0),
                           loss.get("label_smoothing", 0.0)), {}
    return sum(identity_loss(*head, y, loss) for head in o.values()), {}


def means(pattern, path):
    return fnmatch.fnmatchcase(path, pattern) if "*" in pattern else path.startswith(pattern)


class Replay:
    """A model on its way through the log."""

    def __init__(self, model, centers, recipe):
        self.model, self.centers, self.current = model, centers, None
        self.stages = {s.get("name", f"stages.{i}"): s for i, s in enumerate(recipe["stages"])}
        self.learned = {n for n, p in model.named_parameters() if p.requires_grad}
        self.drop_path = recipe.get("drop_path", 0)

    def perturbed(self):
        """Another that begins a rounding away."""
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1 + 1e-7 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1)).sign())
        centers = None if self.centers is None else torch.nn.Parameter(self.centers.detach().clone())
        other = Replay(model, centers, {"stages": []})
        other.stages, other.drop_path = self.stages, self.drop_path
        return other

    def begin(self, stage):
        """The optimiser of a stage, a group a weight."""
        decay = stage.get("weight_decay", 0.01)
        named = [(n, p) for n, p in self.model.named_parameters() if n in self.learned]
        if stage["loss"].get("center"):
            named.append(("centers", self.centers))
        groups = []
        for name, p in named:
            own = [g for g in stage.get("groups", []) if any(means(m, name) for m in g["match"])]
            groups.append({"params": [p], "rate": float(np.prod([g.get("rate", 1) for g in own])),
                           "weight_decay": decay * float(np.prod([g.get("decay", 1) for g in own]))})
        kind, betas = stage.get("optimizer", "adamw"), tuple(stage.get("betas", (0.9, 0.999)))
        if kind == "sgd":
            return torch.optim.SGD(groups, lr=1, momentum=stage.get("momentum", 0.9), nesterov=stage.get("nesterov", False))
        make = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam
        return make(groups, lr=1, betas=betas, eps=stage.get("epsilon", 1e-8))

    def frozen(self, stage, record):
        length = stage.get("freeze_for")
        if length is None:
            return stage.get("freeze", [])
        over = (record.get("epoch", 0) >= int(length.split()[0])) if isinstance(length, str) else self.index >= length
        return [] if over else stage.get("freeze", [])

    def step(self, record, config, data):
        stage = self.stages[record["stage"]]
        stage = {**stage, "loss": stage.get("loss", {})}
        if record["stage"] != self.current:
            self.current, self.index, self.optimizer = record["stage"], 0, self.begin(stage)
        frozen = self.frozen(stage, record)
        for n, p in self.model.named_parameters():
            p.requires_grad_(n in self.learned and not any(means(f, n) for f in frozen))
        for group in self.optimizer.param_groups:
            group["lr"] = record["learning_rate"] * group["rate"]
        if record.get("drop_path"):
            drop_paths(self.model, self.drop_path, SplitMix64(record["drop_path"]))
        total, terms = step(self.model, self.centers, record, stage["loss"], config, data)
        self.optimizer.zero_grad()
        total.backward()
        if stage.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], stage["clip_norm"])
        self.optimizer.step()
        self.index += 1
        return total.item(), terms


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run", type=pathlib.Path)
    a.add_argument("data", type=pathlib.Path)
    a.add_argument("--steps", type=int)
    a.add_argument("--output", type=pathlib.Path)
    a = a.parse_args()
    recipe = yaml.safe_load((a.run / "recipe.yaml").read_text())
    augment = recipe.get("augment") if isinstance(recipe.get("augment"), dict) else {}
    if isinstance(augment.get("erase"), dict) and augment["erase"].get("fill") == "noise":
        sys.exit("not repeated here: erasing with noise")
    initial = a.run / "checkpoints" / "initial.safetensors"
    with safe_open(initial, "pt") as f:
        config = json.loads(f.metadata()["triptych"])
    model = systems.build(config, config["identities"])
    model.load_state_dict(load_file(initial), strict=False)
    model.train()
    centers = a.run / "checkpoints" / "centers.safetensors"
    centers = torch.nn.Parameter(load_file(centers)["centers"]) if centers.exists() else None
    records = [json.loads(line) for line in (a.run / "steps.jsonl").read_text().splitlines()][: a.steps]
    replay = Replay(model, centers, recipe)
    beside = replay.perturbed()
    results, spread, worst, horizon, failed = [], 0.0, 0.0, None, None
    for record in records:
        total, terms = replay.step(record, config, a.data)
        spread = max(spread, abs(total - beside.step(record, config, a.data)[0]) / abs(total))
        difference = abs(total - record["loss"]) / abs(total)
        results.append({"loss": total, "terms": terms})
        if horizon is None and ALLOWANCE * spread > TOLERANCE:
            horizon = record["step"]
        if horizon is None:
            worst = max(worst, difference)
            failed = record["step"] if failed is None and difference > TOLERANCE else failed
        print(f"step {record['step']:5d}  reference {total:.6f}  logged {record['loss']:.6f}  {difference:.1e}  "
              f"a rounding {spread:.1e}")
    if a.output:
        a.output.write_text(json.dumps(results, indent=1) + "\n")
    until = f"until step {horizon}, from which rounding may turn the run elsewhere" if horizon is not None else "throughout"
    print(f"worst {worst:.1e}, tolerance {TOLERANCE:.0e}, {until}: {'ok' if failed is None else f'FAILED at step {failed}'}")
    sys.exit(failed is not None)


if __name__ == "__main__":
    main()
