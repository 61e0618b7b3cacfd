"""Makes files as PyTorch saves them, in its ZIP form, the one before and the tar form before that, and ones that would run
a command.

    python3 Tests/InferenceTests/Fixtures/Import/make_import.py          # torch; no randomness
"""
import collections
import io
import os
import pathlib
import pickle
import struct
import tarfile

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


def save_tar(path, saved, tensors):
    """As PyTorch before 0.1.10 did; no later one writes this form, but all read it."""
    files = {"storages": io.BytesIO(), "tensors": io.BytesIO(), "pickle": io.BytesIO()}
    pickle.dump(1, files["storages"], protocol=2)
    pickle.dump((7, "cpu", torch.FloatStorage), files["storages"], protocol=2)
    values = tensors[0].untyped_storage()
    files["storages"].write(struct.pack("<q", len(values) // 4) + bytes(values))
    pickle.dump([(8, 7, 5, 3)], files["storages"], protocol=2)     # A view of three elements from the fifth on.
    pickle.dump(len(tensors), files["tensors"], protocol=2)
    for key, tensor in enumerate(tensors):
        storage, offset = (8, 0) if tensor.numel() == 3 else (7, tensor.storage_offset())
        pickle.dump((100 + key, storage, torch.FloatTensor), files["tensors"], protocol=2)
        files["tensors"].write(struct.pack(f"<ii{2 * tensor.dim()}qq", tensor.dim(), 0, *tensor.shape, *tensor.stride(),
                                           offset))

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return next((str(100 + k) for k, t in enumerate(tensors) if t is value), None)

    Pickler(files["pickle"], protocol=2).dump(saved)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, file in files.items():
            info = tarfile.TarInfo(name)
            info.size = file.tell()
            file.seek(0)
            tar.addfile(info, file)
    read = torch.load(path, weights_only=False)
    assert all(torch.equal(read[k], v) for k, v in saved.items() if isinstance(v, torch.Tensor))
    path.write_bytes(path.read_bytes().rstrip(b"\0"))     # Ten kilobytes of zeros.


views = [base.reshape(3, 4), base.reshape(3, 4).t(), base[5:8]]
save_tar(here / "tar.pth", {"weight": views[0], "transposed": views[1], "part": views[2], "epoch": 3}, views)


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/triptych-was-owned",)


for name, form in (("command-zip.pth", True), ("command-legacy.pth", False)):
    torch.save({"a": torch.zeros(2), "b": Command()}, here / name, _use_new_zipfile_serialization=form)
