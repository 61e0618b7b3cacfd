"""What images may be, and how subjects are sent."""
from __future__ import annotations

import email
import io
import json
from array import array
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from conftest import FakeServer, Request, answer

from triptych_client import Client, Image, ImportLine, Triple, TriptychError, Vector, Vectors

FILE = b"\xff\xd8 an image \xff\xd9"


class Picture:
    """As PIL's: no path, no bytes, but it can be saved."""

    def save(self, fp: Any, format: Optional[str] = None) -> None:
        assert format == "PNG"
        fp.write(FILE)


def sent(fake: FakeServer, *subjects: Any, pair: bool = False, **options: Any) -> Request:
    fake.answers = [answer()]
    client = Client(fake.url)
    with pytest.raises(TriptychError):  # The answer is none.
        if pair:
            client.compare(*subjects)
        elif len(subjects) == 1:
            client.gallery("g").query(subjects[0], **options)
        else:
            client.gallery("g").query_batch(subjects, **options)
    return fake.requests[-1]


def form(request: Request) -> Dict[str, bytes]:
    message = email.message_from_bytes(f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode() + request.body)
    parts: Any = message.get_payload()
    return {p.get_param("name", header="Content-Disposition"): p.get_payload(decode=True) for p in parts}


def test_whatever_an_image_is_its_bytes_are_sent(fake: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(FILE)
    kinds: list[Image] = [FILE, bytearray(FILE), memoryview(FILE), path, str(path), io.BytesIO(FILE), Picture()]
    for image in kinds:
        assert form(sent(fake, Triple(tir=image), limit=3)) == {"tir": FILE, "options": b'{"limit":3}'}


def test_what_is_no_image_is_refused_here(tmp_path: Path) -> None:
    gallery = Client().gallery("g")
    read = io.BytesIO(FILE)
    read.read()
    with pytest.raises(ValueError, match="at its end"):
        gallery.query(Triple(rgb=read))
    with pytest.raises(ValueError, match="at least one image"):
        gallery.query(Triple())
    with pytest.raises(TypeError, match="found a int"):
        gallery.query(Triple(rgb=3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="opened as text"):
        gallery.query(Triple(rgb=io.StringIO("x")))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a Triple"):
        gallery.query("white van")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        gallery.query(Triple(rgb=tmp_path / "missing.jpg"))


def test_boxes_go_with_their_images(fake: FakeServer) -> None:
    boxed = Triple(rgb=FILE, boxes={"rgb": [1, 2, 30, 40]})
    assert json.loads(form(sent(fake, boxed, limit=1))["options"]) == {"boxes": {"rgb": [1, 2, 30, 40]}, "limit": 1}
    several = form(sent(fake, Triple(rgb=FILE), boxed))
    assert set(several) == {"0.rgb", "1.rgb", "options"} and json.loads(several["options"]) == {"boxes": {"1.rgb": [1, 2, 30, 40]}}
    pair = form(sent(fake, boxed, Triple(rgb=FILE), pair=True))
    assert json.loads(pair["options"]) == {"boxes": {"a.rgb": [1, 2, 30, 40]}}
    mixed = json.loads(sent(fake, boxed, Vector([1.0]), limit=1).body)
    assert mixed["queries"][0]["boxes"] == {"rgb": [1, 2, 30, 40]} and set(mixed["queries"][0]["images"]) == {"rgb"}
    assert ImportLine("a", boxed).document()["boxes"] == {"rgb": [1, 2, 30, 40]}


def test_several_triples_are_one_form(fake: FakeServer) -> None:
    assert set(form(sent(fake, Triple(rgb=FILE), Triple(nir=FILE, tir=FILE)))) == {"0.rgb", "1.nir", "1.tir"}
    assert set(form(sent(fake, Triple(rgb=FILE), Triple(nir=FILE), pair=True))) == {"a.rgb", "b.nir"}


def test_vectors_of_any_library(fake: FakeServer) -> None:
    class Tensor:
        """As NumPy's arrays and PyTorch's tensors."""

        def tolist(self) -> list[float]:
            return [0.5, 1.0]

    for vector in ([0.5, 1], (0.5, 1.0), array("f", [0.5, 1]), Tensor()):
        body = json.loads(sent(fake, Vectors({"rgb": vector}, "m")).body)  # type: ignore[dict-item]
        assert body == {"vectors": {"rgb": [0.5, 1]}, "model": "m"}
    assert json.loads(sent(fake, Vector([1.0], ["rgb"])).body) == {"vector": [1], "modalities": ["rgb"]}
    with pytest.raises(ValueError):
        Client(fake.url).gallery("g").query(Vector([float("nan")]))
