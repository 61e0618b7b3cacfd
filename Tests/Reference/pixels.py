"""The images of a logged batch, changed as its log says they were (Sources/Training/Data/Augmentation+Images.swift)."""
import numpy as np
import torch
from PIL import Image, ImageEnhance

from splitmix import SplitMix64

# The order in which noise is drawn for modalities.
MODALITIES = ["rgb", "nir", "tir"]


def luma(a):
    """As Pillow converts to grey."""
    return ((a.astype(np.int64) @ np.array([19595, 38470, 7471]) + 0x8000) >> 16).astype(np.uint8)


def jittered(a, factors):
    image = Image.fromarray(a)
    for kind, factor in zip((ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), factors):
        image = kind(image).enhance(factor)
    return np.asarray(image)


def moved(a, draw):
    """Flips, shifts, crops and parts of pixels [H, W, 3]."""
    if draw["flip"]:
        a = a[:, ::-1]
    if draw.get("vertical"):
        a = a[::-1]
    (h, w), (x, y) = a.shape[:2], draw["shift"]
    a = np.ascontiguousarray(a[np.clip(np.arange(h) - y, 0, h - 1)][:, np.clip(np.arange(w) - x, 0, w - 1)])
    if draw.get("crop"):
        (x, y), p = draw["crop"], max(map(abs, draw["crop"]))
        a = np.pad(a, ((p, p), (p, p), (0, 0)))[p - y : p - y + h, p - x : p - x + w]
    if draw.get("part"):
        x, y, pw, ph = draw["part"]
        a = np.asarray(Image.fromarray(a).crop((x, y, x + pw, y + ph)).resize((w, h), Image.BILINEAR))
    return np.ascontiguousarray(a)


def changed(a, draw, mean):
    """Pixels [H, W, 3] as the log says they were changed, in its order, but for noise."""
    a = moved(a, draw)
    if draw.get("jitter"):
        a = jittered(a, draw["jitter"])
    a = a.copy()
    if draw.get("channel") is not None:
        a[:] = (luma(a) if draw["channel"] == 3 else a[..., draw["channel"]])[..., None]
    if draw.get("grey"):
        x, y, gw, gh = draw["grey"]
        a[y : y + gh, x : x + gw] = luma(a[y : y + gh, x : x + gw])[..., None]
    if draw.get("erase"):
        x, y, ew, eh = draw["erase"]
        level = draw.get("level")
        a[y : y + eh, x : x + ew] = np.floor(np.float32(mean) * 255 + 0.5).astype(np.uint8) if level is None else level
    return a


def add_noise(a, draw, modality):
    """Noise in the erased rectangle of a standardised image [H, W, 3], where it was erased so."""
    if draw and draw.get("erase") and draw.get("noise") is not None:
        x, y, w, h = draw["erase"]
        generator = SplitMix64.of(draw["noise"], MODALITIES.index(modality))
        a[y : y + h, x : x + w] = generator.normal(w * h * 3).reshape(h, w, 3)
    return a


def image(path, draw, modality, config):
    """One image, standardised: [H, W, 3]."""
    size = (config["input"]["width"], config["input"]["height"])
    mean, std = (np.float32(config["input"][k][modality]) for k in ("mean", "std"))
    pixels = np.asarray(Image.open(path).convert("RGB").resize(size, Image.BILINEAR))
    a = (changed(pixels, draw, mean) if draw else pixels).astype(np.float32) / 255
    return add_noise((a - mean) / std, draw, modality)


def images(data, record, config):
    """{modality: (images, which triples they are of)}, without what was lost."""
    present = record.get("modalities") or config["modalities"]
    sets = record.get("sets") or [present] * len(record["files"])
    draws = record.get("augmentation") or [None] * len(record["files"])
    each = len(draws) // len(record["files"])
    batch = {}
    for place, m in enumerate(present):
        own = [row for row, s in enumerate(sets) if m in s]
        rows = [image(next((data / "train" / m).glob(record["files"][row] + ".*")),
                      draws[row * each + (place if each > 1 else 0)], m, config) for row in own]
        if own:
            batch[m] = (torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2), torch.tensor(own))
    return batch
