"""Replays the steps that `triptych train` logged, in PyTorch, and compares the losses.

    python3 Tests/Reference/replay.py RUN DATA [--steps N] [--output FILE]          # also needs pyyaml, pillow

RUN is the run folder, DATA the data set (ours, `triples`). What was drawn is repeated from the log: batches, lost modalities,
augmentation, and, from the states of their generators, erasing with noise, dropout and drop path. Not repeated are batches encoded in
parts (`batch.at_once`) where what falls out, or a batch norm, depends on the parts.

Prints each step's loss here and in the log. They agree to 1e-4, relative, as long as training is not chaotic: a second replay
beside the first begins 1e-7 away, about a rounding, and once ten times what parts these two is more than 1e-4, rounding alone
may turn the run elsewhere, and nothing is promised from there. Fails where a step before that differs by more. --output
writes the losses as JSON.
"""
import argparse
import copy
import dataclasses
import fnmatch
import functools
import json
import pathlib
import sys

import numpy as np
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import systems  # noqa: E402
from backbones import drop_paths  # noqa: E402
from splitmix import SplitMix64  # noqa: E402
from steps import step as loss_of  # noqa: E402

TOLERANCE = 1e-4
# How many times what a rounding comes to a difference may be: one rounds in many places.
ALLOWANCE = 10


def dropped(layer, p, generator, x):
    """PyTorch's post-norm encoder layer with masks that are drawn here, in Triptych's order: of the attention's probabilities, of its
    result, within the feed-forward and of its result."""
    drop = lambda a: a * torch.from_numpy(generator.mask(tuple(a.shape), p))
    own, h = layer.self_attn, layer.self_attn.num_heads
    qkv = torch.nn.functional.linear(x, own.in_proj_weight, own.in_proj_bias)
    q, k, v = qkv.unflatten(2, (3, h, -1)).permute(2, 0, 3, 1, 4)
    probabilities = drop((q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(3))
    attended = layer.norm1(x + drop(own.out_proj((probabilities @ v).transpose(1, 2).flatten(2))))
    return layer.norm2(attended + drop(layer.linear2(drop(layer.linear1(attended).relu()))))


def means(pattern, path):
    return fnmatch.fnmatchcase(path, pattern) if "*" in pattern else path.startswith(pattern)


class Replay:
    """A model on its way through the log."""

    def __init__(self, model, centers, recipe):
        self.model, self.centers, self.current = model, centers, None
        self.stages = {s.get("name", f"stages.{i}"): s for i, s in enumerate(recipe["stages"])}
        self.begun = {n: v.clone() for n, v in model.state_dict().items()}
        self.learned = {n for n, p in model.named_parameters() if p.requires_grad}
        self.drop_path, self.dropout = recipe.get("drop_path", 0), recipe.get("dropout")
        self.share, self.average = recipe.get("ema"), None

    def perturbed(self):
        """Another that begins a rounding away."""
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1 + 1e-7 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1)).sign())
        centers = None if self.centers is None else torch.nn.Parameter(self.centers.detach().clone())
        other = Replay(model, centers, {"stages": []})
        other.stages, other.drop_path, other.dropout = self.stages, self.drop_path, self.dropout
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
        if record.get("dropout") is not None:
            self.drop_out(record["dropout"], config)
        total, terms = loss_of(self.model, self.centers, record, stage["loss"], config, data)
        self.optimizer.zero_grad()
        total.backward()
        if stage.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], stage["clip_norm"])
        self.optimizer.step()
        self.index += 1
        if self.share is not None:
            new = self.model.state_dict()
            old = self.average or self.begun
            self.average = {k: self.share * old[k] + (1 - self.share) * v if v.dim() else v for k, v in new.items()}
        return total.item(), terms

    def drop_out(self, state, config):
        """Lets the model's encoder layers draw their masks from a generator's state."""
        generator, p = SplitMix64(state), config["head"]["dropout"] if self.dropout is None else self.dropout
        for layer in self.model.modules():
            if isinstance(layer, torch.nn.TransformerEncoderLayer):
                layer.forward = functools.partial(dropped, layer, p, generator)

    def distance(self, published):
        """How far apart the weights are that the two runs end with, as a share of how far they have come."""
        ended, apart, way = self.average or self.model.state_dict(), 0.0, 0.0
        for name, begun in self.begun.items():
            if name in published and begun.is_floating_point():
                apart += (ended[name] - published[name]).double().pow(2).sum().item()
                way += (published[name] - begun).double().pow(2).sum().item()
        return (apart / way) ** 0.5


@dataclasses.dataclass
class Outcome:
    """What a replay came to."""
    losses: list
    worst: float = 0.0  # difference of a loss, relative, while it is promised
    horizon: int | None = None  # the step from which nothing is promised
    failed: int | None = None  # the first step that differs by more than the tolerance
    weights: float | None = None  # see Replay.distance


def refuse(recipe, config):
    """Ends the program for what is not repeated."""
    normed = config["backbone"]["kind"] == "resnet"
    if recipe["batch"].get("at_once") and (normed or recipe.get("drop_path") or config.get("head", {}).get("dropout")):
        sys.exit("not repeated here: batches in parts, of which dropout, drop path or a batch norm sees one at a time")


def replay(run, data, steps=None, report=lambda record, total, difference, spread: None, tolerance=TOLERANCE):
    """Goes through the log of a run."""
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    initial = run / "checkpoints" / "initial.safetensors"
    with safe_open(initial, "pt") as f:
        config = json.loads(f.metadata()["triptych"])
    refuse(recipe, config)
    model = systems.build(config, config["identities"])
    model.load_state_dict(load_file(initial), strict=False)
    model.train()
    centers = run / "checkpoints" / "centers.safetensors"
    centers = torch.nn.Parameter(load_file(centers)["centers"]) if centers.exists() else None
    lines = (run / "steps.jsonl").read_text().splitlines()
    one = Replay(model, centers, recipe)
    beside, spread, outcome = one.perturbed(), 0.0, Outcome([])
    for record in map(json.loads, lines[:steps]):
        total, terms = one.step(record, config, data)
        spread = max(spread, abs(total - beside.step(record, config, data)[0]) / abs(total))
        difference = abs(total - record["loss"]) / abs(total)
        outcome.losses.append({"loss": total, "terms": terms})
        if outcome.horizon is None and ALLOWANCE * spread > TOLERANCE:
            outcome.horizon = record["step"]
        if outcome.horizon is None:
            outcome.worst = max(outcome.worst, difference)
            if outcome.failed is None and difference > tolerance:
                outcome.failed = record["step"]
        report(record, total, difference, spread)
    last = run / "checkpoints" / "last.safetensors"
    if len(outcome.losses) == len(lines) and last.exists():
        outcome.weights = one.distance(load_file(last))
    return outcome


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run", type=pathlib.Path)
    a.add_argument("data", type=pathlib.Path)
    a.add_argument("--steps", type=int)
    a.add_argument("--output", type=pathlib.Path)
    a = a.parse_args()
    outcome = replay(a.run, a.data, a.steps, lambda record, total, difference, spread: print(
        f"step {record['step']:5d}  reference {total:.6f}  logged {record['loss']:.6f}  {difference:.1e}  "
        f"a rounding {spread:.1e}"))
    if a.output:
        a.output.write_text(json.dumps(outcome.losses, indent=1) + "\n")
    until = "throughout" if outcome.horizon is None else (
        f"until step {outcome.horizon}, from which rounding may turn the run elsewhere")
    result = "ok" if outcome.failed is None else f"FAILED at step {outcome.failed}"
    print(f"worst {outcome.worst:.1e}, tolerance {TOLERANCE:.0e}, {until}: {result}")
    if outcome.weights is not None:
        print(f"the weights in the end are apart by {outcome.weights:.1e} of the way that they have come")
    sys.exit(outcome.failed is not None)


if __name__ == "__main__":
    main()
