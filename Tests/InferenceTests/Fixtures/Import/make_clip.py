"""Makes a small CLIP as OpenAI publishes them, a TorchScript archive in half precision, and what its image tower answers.

    python3 Tests/InferenceTests/Fixtures/Import/make_clip.py          # torch, safetensors; seed 31

clip.pt: the model. clip.safetensors: `images` (B,3,16,16), and `embedding`, unit vectors of a tower with these weights in
single precision. positions.safetensors: `positions` of a 3×5 grid after two tokens, fitted bilinearly to others.
"""
import pathlib
import sys
import warnings

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[2] / "Reference"))
import backbones  # noqa: E402
import clip  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)
torch.manual_seed(31)
tower = {"side": 16, "patch": 8, "width": 24, "layers": 2, "heads": 3}
model = clip.CLIP(**tower).eval()
for name, parameter in model.named_parameters():
    if "ln_" in name or name.endswith("bias"):
        parameter.data += 0.1 * torch.randn_like(parameter)
model.half()
images = torch.randn(2, 3, 16, 16)
with torch.no_grad():
    torch.jit.trace(model, images.half()).save(here / "clip.pt")
    embedding = torch.nn.functional.normalize(model.float()(images), dim=1)
save_file({"images": images, "embedding": embedding}, here / "clip.safetensors")
positions = {"positions": torch.randn(1, 2 + 15, 4)}
for rows, columns in ((4, 3), (6, 8)):
    positions[f"bilinear.{rows}x{columns}"] = backbones.resize_position_embedding(
        positions["positions"], 2, (3, 5), (rows, columns), "bilinear")
save_file({k: v.contiguous() for k, v in positions.items()}, here / "positions.safetensors")
