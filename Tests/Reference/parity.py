"""Compares `triptych embed` with the reference on fresh random weights.

    python3 Tests/Reference/parity.py TRIPTYCH [NAME ...] [--checkpoint FILE ...] [--seed N] [--batch B]

NAME is a key of configs.SMALL, PRUNED, VARIANTS or PAPER; where SMALL and PAPER have the same one it is the small one, and
NAME-paper that of the paper's size (default: graft and graft-paper). FILE is a checkpoint, pruned or not, compared with the
weights that it holds. Every subset of the modalities is compared; the figure is the largest absolute difference between
L2-normalised embeddings.
"""
import argparse
import itertools
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import configs  # noqa: E402
import systems  # noqa: E402
from export import randomise, sample, state  # noqa: E402

TOLERANCE = 1e-4


def configuration(name):
    if name.endswith("-paper"):
        return configs.PAPER[name.removesuffix("-paper")]
    return {**configs.PAPER, **configs.SMALL, **configs.PRUNED, **configs.VARIANTS}[name]


def compare(binary, config, x, model, folder):
    worst = 0.0
    for r in range(1, len(x) + 1):
        for subset in itertools.combinations(x, r):
            part = {m: x[m] for m in subset}
            with torch.no_grad():
                expected = torch.nn.functional.normalize(model.embed(part), dim=1)
            save_file(part, folder / "input.safetensors")
            subprocess.run([binary, "embed", "--checkpoint", folder / "model.safetensors", "--input",
                            folder / "input.safetensors", "--output", folder / "output.safetensors"], check=True,
                           stdout=subprocess.DEVNULL)
            found = load_file(folder / "output.safetensors")["embedding"]
            difference = (torch.nn.functional.normalize(found, dim=1) - expected).abs().max().item()
            print(f"  {'+'.join(subset):12s} {difference:.2e}")
            worst = max(worst, difference)
    return worst


def unpacked(weights, shapes):
    """Pruned tensors, stored as NAME.mask and NAME.values, filled up with zeros."""
    for name, shape in shapes.items():
        bits = weights.pop(f"{name}.mask")
        kept = (bits[:, None] >> torch.arange(8, dtype=torch.uint8) & 1).flatten()[:math.prod(shape)].bool()
        whole = torch.zeros(math.prod(shape))
        whole[kept] = weights.pop(f"{name}.values")
        weights[name] = whole.reshape(shape)
    return weights


def of_checkpoint(path, folder):
    """(configuration, model) of a file; a copy lies in the folder."""
    shutil.copy(path, folder / "model.safetensors")
    with safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["triptych"])
    model = systems.build(config, config.get("identities", 1))
    weights = unpacked(load_file(path), config.get("pruning", {}).get("packed", {}))
    lost = set(model.load_state_dict(weights, strict=False).missing_keys)
    unneeded = ("neck", "classifier", "adversary")
    assert all(k.endswith("num_batches_tracked") or any(u in k for u in unneeded) for k in lost), lost
    return config, model


def of_name(name, folder):
    """(configuration, model) of fresh random weights, saved in the folder."""
    config = dict(configuration(name), identities=5)
    model = systems.build(config, 5)
    randomise(model)
    save_file(state(model), folder / "model.safetensors", metadata={"triptych": json.dumps(config)})
    return config, model


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("triptych")
    a.add_argument("names", nargs="*")
    a.add_argument("--checkpoint", action="append", default=[])
    a.add_argument("--seed", type=int, default=0)
    a.add_argument("--batch", type=int, default=2)
    a = a.parse_args()
    failed = False
    names = [] if a.checkpoint and not a.names else a.names or ["graft", "graft-paper"]
    for name, make in [(n, of_name) for n in names] + [(c, of_checkpoint) for c in a.checkpoint]:
        torch.manual_seed(a.seed)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            config, model = make(name, folder)
            model.eval()
            print(f"{name}, seed {a.seed}, {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters")
            worst = compare(a.triptych, config, sample(config, a.batch), model, folder)
        failed |= not worst <= TOLERANCE
        print(f"  worst {worst:.2e}, tolerance {TOLERANCE:.0e}: {'ok' if worst <= TOLERANCE else 'FAILED'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
