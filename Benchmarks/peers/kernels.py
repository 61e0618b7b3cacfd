"""The matrix products and convolutions of one encoder, and nothing else: oneDNN's own, on weights that it has packed.

    kernels.py MODEL --checkpoint FILE --input FILE --threads N

Which there are is recorded while PyTorch runs the encoder. A run does each once, on inputs that are there already.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers.serving import answer, resident_megabytes  # noqa: E402


def recorded(module, images):
    """The operations that do arithmetic by the million, with their arguments."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    found, aten = [], torch.ops.aten

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), options=None):
            if function.overloadpacket in (aten.addmm, aten.mm, aten.bmm, aten.convolution):
                found.append((function.overloadpacket, arguments))
            return function(*arguments, **(options or {}))

    torch.backends.mha.set_fastpath_enabled(False)  # One operation, whose products would not be seen.
    with torch.no_grad(), Recorder():
        module(*images)
    return found


def prepared(function, arguments, inputs):
    """A call of oneDNN for one operation. `inputs` are shared by operations of the same shape, as a pool would have it."""
    import torch

    aten, dnn = torch.ops.aten, torch.ops.mkldnn

    def random(shape, **layout):
        return inputs.setdefault((tuple(shape), *layout), torch.randn(*shape).contiguous(**layout))

    if function is aten.convolution:
        image, weight, bias, stride, padding, dilation, _, _, groups = arguments
        packed = dnn._reorder_convolution_weight(weight, padding, stride, dilation, groups, image.shape)
        image = random(image.shape, memory_format=torch.channels_last)
        return lambda: dnn._convolution_pointwise(image, packed, bias, padding, stride, dilation, groups, "none", [], "")
    if function is aten.bmm:
        a, b = (random(m.shape) for m in arguments)
        return lambda: torch.bmm(a, b)
    bias, rows, weight = arguments if function is aten.addmm else (None, *arguments)
    packed = dnn._reorder_linear_weight(weight.t().contiguous(), rows.shape[0])
    rows = random(rows.shape)
    return lambda: dnn._linear_pointwise(rows, packed, bias, "none", [], "")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--checkpoint", type=pathlib.Path, required=True)
    p.add_argument("--input", type=pathlib.Path, required=True)
    p.add_argument("--threads", type=int, required=True)
    a = p.parse_args()
    import torch
    from safetensors.torch import load_file

    import models

    imports = resident_megabytes()
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    images = load_file(a.input)
    images = [images[m] for m in models.ALL[a.model]["modalities"]]
    inputs = {}
    calls = [prepared(*r, inputs) for r in recorded(models.encoder(a.model, a.checkpoint), images)]

    def once():
        for call in calls:
            call()

    answer(once, imports)


if __name__ == "__main__":
    main()
