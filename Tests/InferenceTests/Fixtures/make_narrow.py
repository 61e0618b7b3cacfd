"""Makes narrow.safetensors: a tiny transformer's weights, an input, and its embeddings with narrow linear layers.

    python3 Tests/InferenceTests/Fixtures/make_narrow.py          # torch, numpy, safetensors; seed 90, one thread

The arithmetic of int8 and of bfloat16 is done in NumPy, in whole numbers and in float64; attention's products are of
bfloat16s in either; the rest is the reference's.
Tensors besides `weights.*` and `input.*`: `embedding.float32`, `embedding.int8`, `embedding.bf16` (B,D); `target` (B,D), and the
gradients of minus the mean cosine to it with respect to some weights, `gradient.int8.*` and `gradient.bf16.*`, taken straight
through the rounding of weights and of what they are multiplied with, in PyTorch.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import configs  # noqa: E402
import systems  # noqa: E402
from backbones import Attention  # noqa: E402
from export import randomise, sample, state  # noqa: E402


def int8(x, weight, bias):
    """Codes of weights by output, of inputs by row with a zero point; exact sums."""
    scale = np.abs(weight).max(1) / np.float32(127)
    codes = np.rint(weight / scale[:, None]).astype(np.int64)
    low, high = np.minimum(x.min(-1), 0), np.maximum(x.max(-1), 0)
    step = (high - low) / np.float32(255)
    zero = np.floor(-low / step + np.float32(0.5)).astype(np.int64)
    inputs = np.clip(np.rint(x * (1 / step)[..., None]).astype(np.int64) + zero[..., None], 0, 255) - zero[..., None]
    return (inputs @ codes.T).astype(np.float32) * (step[..., None] * scale) + bias


def bfloat16(values):
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def halves(x, weight, bias):
    return (bfloat16(x).astype(np.float64) @ bfloat16(weight).astype(np.float64).T + bias).astype(np.float32)


class Narrow(torch.nn.Module):
    def __init__(self, linear, multiply):
        super().__init__()
        self.linear, self.multiply = linear, multiply

    def forward(self, x):
        weight, bias = self.linear.weight.detach().numpy(), self.linear.bias.detach().numpy()
        return torch.from_numpy(self.multiply(x.numpy().astype(np.float32), weight, bias).astype(np.float32))


class NarrowAttention(torch.nn.Module):
    """Queries, keys, values and probabilities rounded to bfloat16 by a function; the softmax of float32s."""

    def __init__(self, attention, rounded):
        super().__init__()
        self.rounded = rounded
        self.qkv, self.proj = attention.qkv, attention.proj
        self.heads, self.head_width = attention.heads, attention.head_width

    def forward(self, x, mask=None):
        b, n, _ = x.shape
        q, k, v = self.rounded(self.qkv(x)).reshape(b, n, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        p = ((q @ k.transpose(-2, -1)) * self.head_width ** -0.5).softmax(-1)
        return self.proj((self.rounded(p) @ v).transpose(1, 2).reshape(b, n, -1))


def replace(encoders, kinds):
    """Puts another in the place of each module of some kinds."""
    for kind, other in kinds:
        for name, module in list(encoders.named_modules()):
            if isinstance(module, kind):
                parent, _, child = name.rpartition(".")
                setattr(encoders.get_submodule(parent), child, other(module))


def embed(multiply):
    """The embedding with every linear layer of the backbones replaced."""
    torch.manual_seed(90)
    model = systems.build(config, 3)
    randomise(model)
    weights = {f"weights.{k}": v.clone() for k, v in state(model).items()}
    if multiply:
        halved = lambda t: torch.from_numpy(bfloat16(t.numpy()))  # noqa: E731
        replace(model.encoders, ((torch.nn.Linear, lambda m: Narrow(m, multiply)), (Attention, lambda m: NarrowAttention(m, halved))))
    model.eval()
    with torch.no_grad():
        return weights, model.embed(x)


def through(values, rounded):
    """Rounded numbers whose gradient is that of the numbers themselves."""
    return values + (torch.from_numpy(rounded(values.detach().numpy())) - values).detach()


def coded_rows(x):
    low, high = np.minimum(x.min(-1), 0)[..., None], np.maximum(x.max(-1), 0)[..., None]
    step = (high - low) / np.float32(255)
    zero = np.floor(-low / step + np.float32(0.5))
    return ((np.clip(np.rint(x * (1 / step)) + zero, 0, 255) - zero) * step).astype(np.float32)


def coded_weights(weight):
    scale = (np.abs(weight).max(1) / np.float32(127))[:, None]
    return (np.rint(weight / scale) * scale).astype(np.float32)


class Tuned(torch.nn.Module):
    def __init__(self, linear, rows, weights):
        super().__init__()
        self.linear, self.rows, self.weights = linear, rows, weights

    def forward(self, x):
        return torch.nn.functional.linear(
            through(x, self.rows), through(self.linear.weight, self.weights), self.linear.bias)


TUNED = ["encoders.rgb.patch_embed.proj.bias", "encoders.nir.cls_token", "encoders.rgb.blocks.0.norm1.weight",
         "encoders.nir.blocks.0.attn.qkv.bias", "encoders.rgb.blocks.1.attn.proj.weight", "encoders.nir.blocks.1.mlp.fc2.weight"]


def gradients(rows, weights):
    """Of minus the mean cosine to the target, by path."""
    torch.manual_seed(90)
    model = systems.build(config, 3)
    randomise(model)
    named = dict(model.named_parameters())
    halved = lambda t: through(t, bfloat16)  # noqa: E731
    replace(model.encoders, ((torch.nn.Linear, lambda m: Tuned(m, rows, weights)), (Attention, lambda m: NarrowAttention(m, halved))))
    model.eval()
    (-torch.nn.functional.cosine_similarity(model.embed(x), out["target"]).mean()).backward()
    return {path: named[path].grad for path in TUNED}


torch.set_num_threads(1)  # Gradients of norms are summed in as many parts as there are threads.
config = dict(configs.config("unicat", configs.vit(24, 2, 3, patch=8), 16, 32, modalities=["rgb", "nir"]), identities=3)
torch.manual_seed(91)
x = sample(config, 3)
out = {f"input.{m}": v for m, v in x.items()}
for name, multiply in (("float32", None), ("int8", int8), ("bf16", halves)):
    weights, out[f"embedding.{name}"] = embed(multiply)
out["target"] = torch.randn(out["embedding.float32"].shape, generator=torch.Generator().manual_seed(92))
for name, rows, rounded in (("int8", coded_rows, coded_weights), ("bf16", bfloat16, bfloat16)):
    out.update({f"gradient.{name}.{path}": gradient for path, gradient in gradients(rows, rounded).items()})
out.update(weights)
save_file({k: v.detach().contiguous() for k, v in out.items()}, here / "narrow.safetensors",
          metadata={"triptych": json.dumps(config)})
