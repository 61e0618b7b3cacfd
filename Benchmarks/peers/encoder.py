"""One framework with one encoder, as its experts would run it on a CPU, answering lines of standard input.

    encoder.py ENGINE VARIANT MODEL --checkpoint FILE --graphs FOLDER --input FILE --output FILE --threads N

Writes what it computes for the input to the output first, so that it can be checked before it is measured.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers.serving import answer, resident_megabytes  # noqa: E402


def torch_runner(a):
    import torch
    from safetensors.torch import load_file

    import models

    imports = resident_megabytes()
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    models.use_fused_attention()
    module, images = models.encoder(a.model, a.checkpoint), load_file(a.input)
    images = [images[m] for m in models.ALL[a.model]["modalities"]]
    if "channels_last" in a.variant:
        module = module.to(memory_format=torch.channels_last)
        images = [i.contiguous(memory_format=torch.channels_last) for i in images]
    if "compiled" in a.variant:
        import torch._inductor.config

        torch._inductor.config.freezing = True  # Weights become constants: folded, and packed for the processor.
        torch.backends.mha.set_fastpath_enabled(False)  # Opaque to the compiler.
        module = torch.compile(module, dynamic=False)
        with torch.no_grad():
            module(*images)

    def once():
        with torch.inference_mode("compiled" not in a.variant), torch.no_grad():
            return module(*images).numpy()

    return once, imports


def onnxruntime_runner(a, suffix=".onnx"):
    import numpy as np  # noqa: F401
    import onnxruntime as ort
    from safetensors.numpy import load_file

    imports = resident_megabytes()
    images = load_file(a.input)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads, options.inter_op_num_threads = a.threads, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # A fixed batch lets it fold shapes and plan memory.
    options.add_free_dimension_override_by_name("batch", next(iter(images.values())).shape[0])
    session = ort.InferenceSession(a.graphs / f"{a.variant}{suffix}", options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, images)[0], imports


def openvino_runner(a, graph=None, precision="f32"):
    import openvino as ov
    from safetensors.numpy import load_file

    imports = resident_megabytes()
    images = load_file(a.input)
    core = ov.Core()
    model = core.read_model(a.graphs / f"{graph or a.variant}.xml")
    model.reshape({p: i.shape for p, i in zip(model.inputs, images_in_order(model, images))})
    # Without the precision hint it may compute in bfloat16 where the processor can.
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": a.threads,
        "NUM_STREAMS": 1})
    request = compiled.create_infer_request()
    inputs = images_in_order(model, images)
    for port, image in zip(compiled.inputs, inputs):
        request.set_tensor(port, ov.Tensor(image, shared_memory=True))

    def once(_alive=(core, model, compiled, inputs)):  # The request does not keep what it uses.
        request.infer()
        return request.get_output_tensor(0).data

    return once, imports


def images_in_order(model, images):
    """The graph's parameters keep the modalities' order, not always their names."""
    return [images[m] for m in ("rgb", "nir", "tir") if m in images]


RUNNERS = {"PyTorch": torch_runner, "ONNX Runtime": onnxruntime_runner, "OpenVINO": openvino_runner}


def main(runners, description, files=("--checkpoint", "--graphs")):
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("engine", choices=runners)
    p.add_argument("variant")
    p.add_argument("model")
    for option in files:
        p.add_argument(option, type=pathlib.Path)
    p.add_argument("--input", type=pathlib.Path, required=True)
    p.add_argument("--output", type=pathlib.Path, required=True)
    p.add_argument("--threads", type=int, required=True)
    a = p.parse_args()
    once, imports = runners[a.engine](a)
    from safetensors.numpy import save_file
    save_file({"embedding": once().copy()}, a.output)
    answer(once, imports)


if __name__ == "__main__":
    main(RUNNERS, __doc__)
