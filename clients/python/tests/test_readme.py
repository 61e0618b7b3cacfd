"""What the README shows works as it is shown."""
from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, Dict

import pytest
from conftest import Server, World

from triptych_client import Client, Gallery, Triple

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def test_readme(
    client: Client, gallery: Gallery, world: World, own: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, image in world.triple().images().items():
        (tmp_path / f"{name}.jpg").write_bytes(image)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIPTYCH_URL", world.url)
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    names: Dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    said = capsys.readouterr().out
    assert "van-17 White van 1.0" in said and "again: van-17" in said and "gallery-not-found - there is no gallery" in said
    assert "10 enrolled, 0 failed" in said and len(list(client.gallery("copy").sightings())) == 13
    assert "van-17 at east" in said
    assert (tmp_path / "kept.jpg").read_bytes() == Triple(tir="tir.jpg").images()["tir"]

    before = client.ready().model
    names["publish"](world.other)
    published = client.ready().model
    assert before and published and published != before
    client.wait(client.activate(before))
    client.erase_model(published)

    root = Client(own.url).create_key("root", "admin").token
    names["key_of_a_gate"](Client(own.url, key=root))
    assert "triptych_" in capsys.readouterr().out
