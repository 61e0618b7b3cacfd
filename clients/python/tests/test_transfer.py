"""Imports and exports, at a real server; how they are sent, at one that says what it got."""
from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from conftest import FakeServer, World, answer

from triptych_client import Client, ConnectionFailed, Gallery, ImportLine, Job, Triple, Vectors

JOB = b'{"id": "j", "kind": "import", "state": "waiting", "done": 0, "total": 0, "created_at": "2026-01-31T12:00:00Z", ' \
      b'"updated_at": "2026-01-31T12:00:00Z"}'


def finished(client: Client, job: Job) -> Dict[str, Any]:
    result = client.wait(job).result
    assert result is not None
    return result


def test_lines_in_and_out(client: Client, gallery: Gallery, world: World) -> None:
    told: List[int] = []
    lines: List[Any] = [
        ImportLine("a", label="First"), ImportLine("a", world.triple(), camera="north", metadata={"lane": 1}),
        {"identity": "b", "vectors": client.embed(world.triple(1)).vectors}, ImportLine("c", Triple(rgb=b"no image")),
    ]
    result = finished(client, gallery.import_lines(iter(lines), progress=lambda sent, _: told.append(sent)))
    assert (result["enrolled"], result["failed"]) == (3, 1) and told  # The first is an identity.
    assert finished(client, gallery.import_lines(lines))["repeated"] == 3

    copy = client.create_gallery(gallery.name + "-copy")
    assert finished(client, copy.import_lines(gallery.export()))["failed"] == 0
    exported, copied = list(gallery.export_lines()), list(copy.export_lines())
    for line in exported + copied:
        line.pop("idempotency_key", None)  # Of the gallery that it comes from.
    assert copied == exported and [line["label"] for line in exported if "label" in line] == ["First"]


def test_files_in_and_out(client: Client, gallery: Gallery, world: World, tmp_path: Path) -> None:
    gallery.enrol("a", world.triple())
    for number, name in enumerate(("out.tar", "out.ndjson")):
        gallery.export_file(tmp_path / name)
        copy = client.create_gallery(f"{gallery.name}-{number}")
        told: List[Tuple[int, object]] = []
        job = copy.import_file(tmp_path / name, progress=lambda sent, total: told.append((sent, total)))
        assert finished(client, job)["failed"] == 0 and len(list(copy.sightings())) == 1
        size = (tmp_path / name).stat().st_size
        assert told[-1] == (size, size)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.ndjson", "out.tar"]
    with (tmp_path / "out.tar").open("rb") as file:
        assert finished(client, copy.import_file(file))["failed"] == 0


def test_a_folder_goes_as_an_archive(client: Client, gallery: Gallery, world: World, tmp_path: Path) -> None:
    deep = tmp_path / ("long-name-" * 12) / "ä"
    deep.mkdir(parents=True)
    (deep / "one.jpg").write_bytes(world.triple().images()["rgb"])
    line = {"identity": "a", "files": {"rgb": (deep / "one.jpg").relative_to(tmp_path).as_posix()}}
    (tmp_path / "lines.ndjson").write_text(json.dumps(line) + "\n")
    assert finished(client, gallery.import_file(tmp_path))["enrolled"] == 1


def test_the_archive_is_one(fake: FakeServer, tmp_path: Path) -> None:
    for name, size in (("a", 0), ("b", 512), ("c", 3_000_001)):
        (tmp_path / name).write_bytes(bytes(size))
    fake.answers = [answer(202, JOB)]
    Client(fake.url).gallery("g").import_file(tmp_path)
    request = fake.requests[0]
    assert request.header("Transfer-Encoding") == "chunked" and request.header("Content-Type") == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(request.body)) as archive:
        assert [(m.name, m.size) for m in archive] == [("a", 0), ("b", 512), ("c", 3_000_001)]


def test_lines_are_sent_as_they_come(fake: FakeServer) -> None:
    """More are asked for only once those before are sent: what is sent is told between."""
    fake.answers = [answer(202, JOB)]
    order: List[str] = []

    def lines() -> Iterator[Dict[str, Any]]:
        for number in range(4):
            order.append("line")
            yield {"identity": "a" * (1 << 20)}

    Client(fake.url).gallery("g").import_lines(lines(), progress=lambda sent, total: order.append("sent"))
    assert order == ["line", "sent"] * 4
    assert fake.requests[0].body.count(b"\n") == 4


def test_what_fails_while_it_is_sent_is_raised_as_it_is(fake: FakeServer, tmp_path: Path) -> None:
    def lines() -> Iterator[ImportLine]:
        yield ImportLine("a", Vectors({"rgb": [1.0] * 300_000}))
        yield ImportLine("a", Triple(rgb=tmp_path / "missing.jpg"))

    with pytest.raises(FileNotFoundError):
        Client(fake.url).gallery("g").import_lines(lines())


def test_names_that_say_nothing_are_asked_about(tmp_path: Path, fake: FakeServer) -> None:
    gallery = Client(fake.url).gallery("g")
    (tmp_path / "lines").write_bytes(b"{}\n")
    with pytest.raises(ValueError, match="archive=True or False"):
        gallery.import_file(tmp_path / "lines")
    fake.answers = [answer(202, JOB), answer(202, JOB)]
    gallery.import_file(tmp_path / "lines", archive=False)
    gallery.import_file(io.BytesIO(b""), archive=True)
    assert [r.header("Content-Type") for r in fake.requests] == ["application/x-ndjson", "application/x-tar"]


def test_half_an_export_leaves_no_file(fake: FakeServer, tmp_path: Path) -> None:
    fake.answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"]
    with pytest.raises(ConnectionFailed):
        Client(fake.url).gallery("g").export_file(tmp_path / "out.ndjson")
    assert list(tmp_path.iterdir()) == []
