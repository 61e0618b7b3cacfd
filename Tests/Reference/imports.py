"""Compares `triptych import` and `embed` with the libraries that weights come from, on random weights.

    python3 Tests/Reference/imports.py TRIPTYCH          # torch, safetensors, timm, open_clip_torch; nothing is downloaded

Each network is made small, saved as its library saves it, imported into UniCat of one modality, and asked for the vectors of
images; the figure is the largest absolute difference between unit vectors.
"""
import functools
import json
import pathlib
import subprocess
import sys
import tempfile

import open_clip
import timm
import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clip  # noqa: E402

ROOT, TOLERANCE = pathlib.Path(__file__).parents[2], 1e-4
SIDE, PATCH, WIDTH, DEPTH, HEADS, OUTPUT = 32, 8, 48, 3, 4, 24
SIZES = {"kind": "vit", "width": WIDTH, "depth": DEPTH, "heads": HEADS, "patch": PATCH}
CLIP = dict(SIZES, pre_norm=True, norm_epsilon=1e-5, projection=OUTPUT)


def vit(**options):
    cls = options.pop("cls", timm.models.vision_transformer.VisionTransformer)
    return cls(img_size=SIDE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS,
               num_classes=options.pop("num_classes", 7), **options)


def first_token(model, x):
    return model.forward_features(x)[:, 0]


def head(model, x):
    return model.head(first_token(model, x))


def openai():
    return clip.CLIP(OUTPUT, side=SIDE, patch=PATCH, width=WIDTH, layers=DEPTH, heads=HEADS)


def open_clip_model(quick_gelu):
    vision = {"image_size": SIDE, "patch_size": PATCH, "width": WIDTH, "layers": DEPTH, "head_width": WIDTH // HEADS}
    text = {"context_length": 4, "vocab_size": 9, "width": 16, "heads": 2, "layers": 1}
    return open_clip.CLIP(OUTPUT, vision, text, quick_gelu=quick_gelu)


class QuickGELU(torch.nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def timm_clip():
    return vit(num_classes=OUTPUT, pre_norm=True, act_layer=QuickGELU,
               norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-5))


CASES = {
    "timm ViT": (vit, SIZES, first_token),
    "timm ViT, LayerScale (DINOv2)": (functools.partial(vit, init_values=0.1), SIZES, first_token),
    "timm DeiT, distilled": (
        functools.partial(vit, cls=timm.models.deit.VisionTransformerDistilled), dict(SIZES, distilled=True), first_token),
    "timm CLIP": (timm_clip, dict(CLIP, activation="quick_gelu"), head),
    "CLIP as OpenAI has it, TorchScript": (
        openai, dict(CLIP, activation="quick_gelu"), lambda m, x: m(x)),
    "OpenCLIP, QuickGELU": (
        functools.partial(open_clip_model, True), dict(CLIP, activation="quick_gelu"), lambda m, x: m.encode_image(x)),
    "OpenCLIP, GELU": (functools.partial(open_clip_model, False), CLIP, lambda m, x: m.encode_image(x)),
}


def save(name, model, x, path):
    if "TorchScript" in name:
        torch.jit.trace(model, x).save(path)
    else:
        torch.save(model.state_dict(), path)


def compare(binary, name, folder):
    make, backbone, embed = CASES[name]
    torch.manual_seed(0)
    model = make().eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    if name == "timm CLIP":
        model.head.bias.data.zero_()  # CLIP's projection has none.
    x = torch.randn(3, 3, SIDE, SIDE)
    with torch.no_grad():
        expected = torch.nn.functional.normalize(embed(model, x), dim=1)
        save(name, model, x, folder / "weights.pt")
    settings = {"model.backbone": backbone, "model.modalities": ["rgb"], "model.input.height": SIDE,
                "model.input.width": SIDE}
    subprocess.run(
        [binary, "import", "--weights", folder / "weights.pt", "--config", ROOT / "deploy/recipes/unicat-demo.yaml",
         "--output", folder / "model.safetensors"]
        + [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")],
        check=True, stdout=subprocess.DEVNULL)
    save_file({"rgb": x}, folder / "input.safetensors")
    subprocess.run([binary, "embed", "--checkpoint", folder / "model.safetensors", "--input", folder / "input.safetensors",
                    "--output", folder / "output.safetensors"], check=True, stdout=subprocess.DEVNULL)
    found = load_file(folder / "output.safetensors")["embedding"]
    return (torch.nn.functional.normalize(found, dim=1) - expected).abs().max().item()


if __name__ == "__main__":
    worst = 0.0
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            difference = compare(sys.argv[1], name, pathlib.Path(folder))
        print(f"{name:40s} {difference:.2e}", flush=True)
        worst = max(worst, difference)
    sys.exit(f"more than {TOLERANCE}" if worst > TOLERANCE else 0)
