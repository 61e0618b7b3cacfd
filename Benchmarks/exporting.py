"""Writes a checkpoint's whole encoder as one graph for ONNX Runtime and for OpenVINO, in the forms worth trying.

    exporting.py MODEL CHECKPOINT FOLDER

plain.onnx   all modalities of a shared network as one batch
apart.onnx   the same network run once a modality; only for systems with a shared network
sdpa.onnx    plain, with attention and GELU as one operation each; only for transformers

and the same as .xml for OpenVINO, sdpa.xml straight from PyTorch. The batch is free.
"""
import pathlib
import sys

import models
import openvino as ov
import torch
import torch.nn.functional as F


def pooling_matrix(rows, parts):
    """adaptive_avg_pool2d as a product: the exporter does not know sizes that do not divide one another."""
    matrix = torch.zeros(parts, rows)
    for p in range(parts):
        first, last = p * rows // parts, -(-(p + 1) * rows // parts)
        matrix[p, first:last] = 1 / (last - first)
    return matrix


def pool(x, size):
    rows = size[0] if isinstance(size, tuple) else size
    # A plain number: the exporter would make the matrix in the graph otherwise, with divisions that round towards zero.
    return (pooling_matrix(int(x.shape[2]), rows) @ x.mean(3).transpose(1, 2)).transpose(1, 2)[..., None]


def to_onnx(module, images, names, path):
    axes = {n: {0: "batch"} for n in [*names, "embedding"]}
    torch.onnx.export(module, images, path, input_names=names, output_names=["embedding"], dynamic_axes=axes,
                      opset_version=17, dynamo=False)


def to_modern_onnx(module, images, names, path):
    """The newer exporter keeps attention and GELU as one operation each."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.onnx.export(module, images, input_names=names, output_names=["embedding"], dynamo=True,
                                opset_version=23, dynamic_shapes=(tuple({0: batch} for _ in images),))
    program.save(path)


def save(model, shape, path):
    model.reshape({port: [-1, *shape[1:]] for port in model.inputs})
    ov.save_model(model, path, compress_to_fp16=False)


def main():
    name, checkpoint, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    config = models.ALL[name]
    torch.backends.mha.set_fastpath_enabled(False)  # Its one operation has no counterpart in ONNX.
    F.adaptive_avg_pool2d = pool
    shape = (2, 3, config["input"]["height"], config["input"]["width"])
    images = tuple(torch.randn(shape) for _ in config["modalities"])
    with torch.no_grad():
        for form in ["plain"] + ["apart"] * models.is_shared(name):
            module = models.encoder(name, checkpoint, joined=form == "plain")
            to_onnx(module, images, config["modalities"], folder / f"{form}.onnx")
            save(ov.convert_model(folder / f"{form}.onnx"), shape, folder / f"{form}.xml")
        if models.is_transformer(name):
            models.use_fused_attention()
            module = models.encoder(name, checkpoint)
            to_modern_onnx(module, images, config["modalities"], folder / "sdpa.onnx")
            save(ov.convert_model(module, example_input=images), shape, folder / "sdpa.xml")


if __name__ == "__main__":
    main()
