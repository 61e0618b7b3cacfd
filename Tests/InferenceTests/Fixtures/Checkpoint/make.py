"""Makes the files beside it.

    python3 Tests/InferenceTests/Fixtures/Checkpoint/make.py          # numpy, safetensors; seed 20

mixed.safetensors          one tensor of each floating-point type, a scalar, bytes and integers
mixed.json                 the numbers of its floating-point tensors, flattened
checkpoint.safetensors     a few weights with a configuration, a step counter of PyTorch's and other metadata
packed.safetensors         the same, two weights stored as mask and values
narrow.safetensors         one weight in int8, one in bfloat16, one as it is, and narrow.json: the numbers that they stand for
digests.json               the SHA-256 of each, by hashlib (the library orders metadata at random, so they change)
configurations.json        every configuration of Tests/Reference/configs.py
"""
import hashlib
import json
import pathlib
import sys

import numpy as np
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "Reference"))
import configs  # noqa: E402

SEED = 20


def bfloat16(x):
    """The upper halves; exact for the numbers used here."""
    return (x.astype("<f4").view("<u4") >> 16).astype("<u2")


def mixed(rng):
    # Eighths between -16 and 16 are exact in every type.
    draw = lambda *shape: rng.integers(-128, 128, shape) / 8
    exact = {"double": draw(2, 3), "single": draw(3, 2, 2), "half": draw(5), "brain": draw(7), "scalar": draw()}
    arrays = {"double": ("float64", exact["double"].astype("<f8")), "single": ("float32", exact["single"].astype("<f4")),
              "half": ("float16", exact["half"].astype("<f2")), "brain": ("bfloat16", bfloat16(exact["brain"])),
              "scalar": ("float32", np.array(exact["scalar"], "<f4")), "bytes": ("uint8", np.array([1, 2, 255], "<u1")),
              "integers": ("int64", np.array([-1, 7], "<i8"))}
    specs = {n: TensorSpec(dtype=d, shape=x.shape, data_ptr=x.ctypes.data, data_len=x.nbytes)
             for n, (d, x) in arrays.items()}
    serialize_file(specs, HERE / "mixed.safetensors", {"author": "make.py", "unicode": "é \"quoted\" \n"})
    (HERE / "mixed.json").write_text(json.dumps({n: np.ravel(x).tolist() for n, x in exact.items()}))


def weights(rng):
    dense = {"backbone.norm.weight": rng.normal(size=8), "backbone.norm.running_mean": rng.normal(size=8),
             "head.fc1.weight": rng.normal(size=(4, 5)), "head.fc2.weight": np.zeros((3, 3)),
             "head.fc1.bias": rng.normal(size=4)}
    dense["head.fc1.weight"][rng.random((4, 5)) < 0.6] = 0
    return {n: x.astype("<f4") for n, x in dense.items()}


def checkpoints(rng):
    config = dict(configs.SMALL["graft"], identities=5, training={"seed": 2**53 + 1, "epochs": [1, 2.5, None]})
    dense = weights(rng)
    counter = {"backbone.norm.num_batches_tracked": np.array(3, "<i8")}
    save_file(dense | counter, HERE / "checkpoint.safetensors", {"triptych": json.dumps(config), "note": "kept"})
    packed, shapes = {}, {}
    for n, x in dense.items():
        if n in ("head.fc1.weight", "head.fc2.weight"):
            packed[n + ".mask"] = np.packbits(x.flatten() != 0, bitorder="little")
            packed[n + ".values"] = x[x != 0]
            shapes[n] = list(x.shape)
        else:
            packed[n] = x
    config["pruning"] = {"sparsity": 0.6, "packed": shapes}
    save_file(packed, HERE / "packed.safetensors", {"triptych": json.dumps(config)})


def narrow(rng):
    codes, scales = rng.integers(-127, 128, (3, 4)).astype("<i1"), np.array([0.5, 0.0625, 3], "<f4")
    half, whole = rng.integers(-128, 128, (2, 3)) / 8, rng.normal(size=5).astype("<f4")
    arrays = {"coded.weight.codes": ("int8", codes), "coded.weight.scales": ("float32", scales),
              "half.weight": ("bfloat16", bfloat16(half)), "whole.bias": ("float32", whole)}
    specs = {n: TensorSpec(dtype=d, shape=x.shape, data_ptr=x.ctypes.data, data_len=x.nbytes)
             for n, (d, x) in arrays.items()}
    config = dict(configs.SMALL["graft"], quantization={
        "plan": "int8", "precision": {"coded.weight": "int8", "half.weight": "bf16"}})
    serialize_file(specs, HERE / "narrow.safetensors", {"triptych": json.dumps(config)})
    numbers = {"coded.weight": codes * scales[:, None], "half.weight": half, "whole.bias": whole}
    (HERE / "narrow.json").write_text(json.dumps({n: np.ravel(x).astype(float).tolist() for n, x in numbers.items()}))


def main():
    rng = np.random.default_rng(SEED)
    mixed(rng)
    checkpoints(rng)
    narrow(np.random.default_rng(SEED))
    (HERE / "configurations.json").write_text(
        json.dumps({"paper": configs.PAPER, "small": configs.SMALL}, indent=1) + "\n")
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(HERE.glob("*.safetensors"))}
    (HERE / "digests.json").write_text(json.dumps(digests, indent=1) + "\n")


if __name__ == "__main__":
    main()
