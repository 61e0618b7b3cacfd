"""Makes the images of these tests and, beside each, the pixels that Pillow reads from it.

    python3 Tests/ImagingTests/Fixtures/make_images.py          # pillow, numpy; seed 3

NAME.jpg or NAME.png has NAME.rgb, raw RGB rows of the upright image. resize_<filter>_<w>x<h>.rgb are resizings of
rgb8.png. manifest.json lists sizes.
"""
import json
import pathlib

import numpy as np
from PIL import Image

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(3)
manifest = {}


def smooth(h, w, channels):
    """Gradients with some noise, so that JPEG has something to keep."""
    y, x = np.mgrid[0:h, 0:w]
    planes = [(127 + 90 * np.sin((x * (c + 1) + y * (3 - c)) / 7) + rng.normal(0, 6, (h, w))) for c in range(channels)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8).squeeze()


def expect(name, image):
    a = np.asarray(image.convert("RGB"))
    (here / f"{pathlib.Path(name).stem}.rgb").write_bytes(a.tobytes())
    manifest[name] = [a.shape[1], a.shape[0]]


def save(name, image, **options):
    image.save(here / name, **options)
    with Image.open(here / name) as back:
        expect(name, back)


H, W = 19, 26
colour = Image.fromarray(smooth(H, W, 3))
grey = Image.fromarray(smooth(H, W, 1))
save("grey.jpg", grey, quality=92)
save("ycbcr.jpg", colour, quality=92, subsampling=2)
save("ycbcr444.jpg", colour, quality=92, subsampling=0)
save("progressive.jpg", colour, quality=90, progressive=True)
save("cmyk.jpg", Image.fromarray(smooth(H, W, 4), "CMYK"), quality=95)
for o in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = o
    name = f"exif{o}.jpg"
    colour.save(here / name, quality=92, subsampling=0, exif=exif)
    from PIL import ImageOps
    with Image.open(here / name) as back:
        expect(name, ImageOps.exif_transpose(back))

save("rgb8.png", colour)
save("grey8.png", grey)
save("rgba8.png", Image.fromarray(smooth(H, W, 4), "RGBA"))
save("greyalpha8.png", Image.fromarray(smooth(H, W, 2), "LA"))
save("palette.png", colour.quantize(13))
save("bit1.png", grey.convert("1"))

# 16-bit grey: the expected scaling is the documented one, in NumPy.
thermal = (21000 + 12 * smooth(H, W, 1).astype(np.int64)).astype(np.uint16)
thermal[0, 0], thermal[5, 5] = 0, 65535  # dead and hot pixels must not set the range
Image.fromarray(thermal).save(here / "thermal16.png")


def scaled(values, low, high):
    t = np.clip((values.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.floor(t * np.float32(255) + np.float32(0.5)).astype(np.uint8)


flat = np.sort(thermal.ravel())
rank = lambda p: int(flat[int(np.floor((flat.size - 1) * p + 0.5))])
for name, low, high in (("thermal16.png", rank(0.001), rank(0.999)), ("thermal16_range.png", 21000, 24000)):
    out = scaled(thermal, low, high)
    (here / f"{pathlib.Path(name).stem}.rgb").write_bytes(np.repeat(out[..., None], 3, 2).tobytes())
manifest["thermal16.png"] = [W, H]

for filter_name, kind in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
    for w, h in ((13, 10), (26, 7), (9, 19), (64, 50), (1, 1), (3, 40), (25, 18)):
        (here / f"resize_{filter_name}_{w}x{h}.rgb").write_bytes(np.asarray(colour.resize((w, h), kind)).tobytes())

(here / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
