"""Writes an encoder's graphs in 8 bits, as the frameworks' own tools make them from those of exporting.py.

    quantising.py MODEL FOLDER CALIBRATION

int8.xml              OpenVINO's, by NNCF with its preset for transformers where it is one
dynamic.int8.onnx     ONNX Runtime's, weights alone; only for transformers
static.int8.onnx      ONNX Runtime's with ranges of activations too
"""
import pathlib
import sys

import models
import nncf
import onnxruntime.quantization as ort
import openvino as ov
from onnxruntime.quantization.shape_inference import quant_pre_process
from safetensors.numpy import load_file


def triples(images):
    """One triple at a time."""
    count = next(iter(images.values())).shape[0]
    return [{name: image[i:i + 1] for name, image in images.items()} for i in range(count)]


class Reader(ort.CalibrationDataReader):
    def __init__(self, inputs):
        self.inputs = iter(inputs)

    def get_next(self):
        return next(self.inputs, None)


def by_nncf(name, folder, images):
    model = ov.Core().read_model(folder / "plain.xml")
    order = models.ALL[name]["modalities"]
    data = nncf.Dataset(triples(images), lambda triple: [triple[m] for m in order])
    kind = nncf.ModelType.TRANSFORMER if models.is_transformer(name) else None
    ov.save_model(nncf.quantize(model, data, model_type=kind, subset_size=len(triples(images))), folder / "int8.xml",
                  compress_to_fp16=False)


def by_onnxruntime(name, folder, images):
    plain, prepared = folder / "plain.onnx", folder / "prepared.onnx"
    quant_pre_process(plain, prepared, skip_symbolic_shape=True)
    if models.is_transformer(name):
        ort.quantize_dynamic(prepared, folder / "dynamic.int8.onnx", per_channel=True)
    ort.quantize_static(prepared, folder / "static.int8.onnx", Reader(triples(images)), per_channel=True,
                        activation_type=ort.QuantType.QUInt8, weight_type=ort.QuantType.QInt8)
    prepared.unlink()


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    images = load_file(sys.argv[3])
    by_onnxruntime(name, folder, images)
    by_nncf(name, folder, images)


if __name__ == "__main__":
    main()
