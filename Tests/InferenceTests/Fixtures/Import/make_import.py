"""Makes files as PyTorch saves them, in its ZIP form and the one before, and one that would run a command.

    python3 Tests/InferenceTests/Fixtures/Import/make_import.py          # torch; no randomness
"""
import collections
import os
import pathlib

import torch

here = pathlib.Path(__file__).parent
base = torch.arange(12, dtype=torch.float32)
state = collections.OrderedDict(
    weight=base.reshape(3, 4), transposed=base.reshape(3, 4).t(), part=base[5:8], half=torch.tensor([0.5, -2.0]).half(),
    double=torch.tensor([1.25], dtype=torch.float64), brain=torch.tensor([3.0, -1.0]).bfloat16(),
    parameter=torch.nn.Parameter(torch.tensor([7.0])), num_batches_tracked=torch.tensor(3))
saved = {"model": {f"module.{k}": v for k, v in state.items()}, "epoch": 3, "lr": 0.5, "note": "ä", "done": True}
torch.save(saved, here / "zip.pth")
torch.save(saved, here / "legacy.pth", _use_new_zipfile_serialization=False)


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/triptych-was-owned",)


for name, form in (("command-zip.pth", True), ("command-legacy.pth", False)):
    torch.save({"a": torch.zeros(2), "b": Command()}, here / name, _use_new_zipfile_serialization=form)
