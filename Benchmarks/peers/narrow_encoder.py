"""One framework with one encoder in bfloat16 or 8 bits, as its experts would run it, answering lines of standard input.

    narrow_encoder.py "ENGINE PRECISION" VARIANT MODEL --checkpoint FILE --graphs FOLDER --calibration FILE --input FILE
        --output FILE --threads N

Writes what it computes for the input to the output first. The graphs are those of exporting.py and quantising.py.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers.encoder import main, onnxruntime_runner, openvino_runner  # noqa: E402
from peers.serving import resident_megabytes  # noqa: E402


def torch_images(a, path):
    from safetensors.torch import load_file

    import models

    images = load_file(path)
    return [images[m] for m in models.ALL[a.model]["modalities"]]


def torch_module(a):
    import torch

    import models

    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    torch.backends.mha.set_fastpath_enabled(False)  # It takes no layer whose weights are in 8 bits.
    models.use_fused_attention()
    return models.encoder(a.model, a.checkpoint)


def torch_bf16(a):
    import torch

    imports = resident_megabytes()
    module, images = torch_module(a).to(torch.bfloat16), torch_images(a, a.input)
    if a.variant == "channels_last":
        module = module.to(memory_format=torch.channels_last)
        images = [i.contiguous(memory_format=torch.channels_last) for i in images]
    images = [i.to(torch.bfloat16) for i in images]

    def once():
        with torch.inference_mode():
            return module(*images).float().numpy()

    return once, imports


def torch_int8(a):
    import torch
    from torch.ao.quantization import quantize_dynamic

    imports = resident_megabytes()
    torch.backends.quantized.engine = "x86"
    module, images = torch_module(a), torch_images(a, a.input)
    if a.variant == "dynamic":
        module = quantize_dynamic(module, {torch.nn.Linear}, dtype=torch.qint8)
    else:
        module = statically(a, module, images)

    def once():
        with torch.inference_mode():
            return module(*images).numpy()

    return once, imports


def statically(a, module, images):
    """Each network by itself: what combines their features cannot be traced in every system, and stays float32."""
    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    from backbones import ResNet

    class Method(torch.nn.Module):
        """One of a network's methods, to be traced by itself."""

        def __init__(self, network, name):
            super().__init__()
            self.network, self.name = network, name

        def forward(self, x):
            return getattr(self.network, self.name)(x)

    # MixER's backbone ends before its last stage, of which each branch has one.
    places = [(m, "forward" if hasattr(m, "layer4") else "trunk") for m in module.modules() if isinstance(m, ResNet)]
    places += [(m, "layer4") for m in module.modules() if hasattr(m, "layer4") and not isinstance(m, ResNet)]
    if not places:
        raise SystemExit("found no network that can be traced")
    mapping, graphs = get_default_qconfig_mapping("x86"), []
    for network, name in places:
        graphs.append(prepare_fx(Method(network, name).eval(), mapping, (images[0],)))
        take(network, name, graphs[-1])
    module(*torch_images(a, a.calibration))
    for (network, name), graph in zip(places, graphs):
        take(network, name, convert_fx(graph))
    return module


def take(network, name, graph):
    """The network keeps its type, by which a system tells a ResNet from a transformer."""
    network._modules.pop(name, None)
    setattr(network, name, lambda x: graph(x))


RUNNERS = {
    "PyTorch bf16": torch_bf16, "PyTorch int8": torch_int8,
    "ONNX Runtime int8": lambda a: onnxruntime_runner(a, ".int8.onnx"),
    "OpenVINO bf16": lambda a: openvino_runner(a, precision="bf16"),
    # What is not in 8 bits is in bfloat16 where the processor can: as it comes, and the faster.
    "OpenVINO int8": lambda a: openvino_runner(a, "int8", "bf16"),
}


if __name__ == "__main__":
    main(RUNNERS, __doc__, ("--checkpoint", "--graphs", "--calibration"))
