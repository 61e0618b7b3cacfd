"""Models, activations and jobs, at a real server; broken streams of events, at one that breaks them."""
from __future__ import annotations

import hashlib
import json
import signal
import socket
from typing import List, Optional, Tuple
from urllib.parse import urlsplit

import pytest
from conftest import FakeServer, Server, World, answer

from triptych_client import (
    Client, Conflict, Gallery, Job, JobFailed, NotFound, Refused, TimedOut, UnexpectedAnswer,
)


def event(state: str, done: int = 0) -> bytes:
    return (f'event: {"progress" if state == "running" else "end"}\ndata: {{"id": "j", "kind": "import", "state": "{state}", '
            f'"done": {done}, "total": 3, "reason": "no disk", "created_at": "2026-01-31T12:00:00Z", '
            f'"updated_at": "2026-01-31T12:00:00Z"}}\n\n').encode()


def stream(*events: bytes, whole: bool = True) -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(e), e) for e in events)
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n" * whole


def test_a_model_from_its_file_to_activity(client: Client, gallery: Gallery, world: World) -> None:
    gallery.enrol("a", world.triple())
    before = client.ready().model
    assert before
    told: List[Tuple[int, Optional[int]]] = []
    model = client.upload_model(world.other, progress=lambda sent, total: told.append((sent, total)))
    size = world.other.stat().st_size
    assert told[-1] == (size, size) and model.bytes == size and not model.active
    assert client.upload_model(str(world.other)).model == client.model(model.model).model == model.model
    assert {m.model for m in client.models(page_size=1)} == {before, model.model}

    seen: List[Job] = []
    comparison = client.wait(client.activate(model.model, dry_run=True), progress=seen.append)
    assert comparison.result and "agreement" in comparison.result and seen[-1].ended
    client.wait(client.activate(model.model), timeout=60)
    assert client.ready().model == model.model
    with pytest.raises(Conflict) as raised:
        client.erase_model(model.model)
    assert raised.value.code == "model-active"
    client.wait(client.activate(before))
    client.erase_model(model.model)
    with pytest.raises(NotFound):
        client.model(model.model)


def test_an_upload_goes_on_where_it_broke_off(own: Server, world: World) -> None:
    data = world.other.read_bytes()
    told: List[Tuple[int, Optional[int]]] = []
    upload = Client(own.url).begin_upload(len(data), model=hashlib.sha256(data).hexdigest())
    # A process that ends within its first piece, and a server that ends after that.
    with socket.create_connection((urlsplit(own.url).hostname, urlsplit(own.url).port)) as connection:
        connection.sendall(
            f"PATCH /v1/models/uploads/{upload.id} HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: 0\r\n"
            f"Content-Type: application/partial-upload\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:1000])
    client = Client(own.url)
    while client.upload(upload).offset < 1000:
        pass
    own.end(signal.SIGKILL)
    own.start()
    assert [u.id for u in client.uploads()] == [upload.id]
    with pytest.raises(ValueError, match="expected"):
        client.resume_upload(upload, __file__)
    model = client.resume_upload(upload.id, world.other, progress=lambda sent, total: told.append((sent, total)))
    assert model.bytes == len(data) and told[-1] == (len(data), len(data)) and client.uploads() == []
    other = client.begin_upload(7)
    client.abandon_upload(other)
    with pytest.raises(NotFound):
        client.upload(other)


def test_what_is_no_model_is_refused(client: Client, world: World) -> None:
    with pytest.raises(Refused) as raised:
        client.upload_model(next((world.data / "gallery" / "rgb").iterdir()))
    assert raised.value.code == "model-refused"


def test_jobs_of_a_gallery(client: Client, gallery: Gallery, world: World) -> None:
    for n in range(4):
        gallery.enrol(f"v{n // 2}", world.triple(n))
    groups = client.wait(gallery.group(0.999))
    assert groups.result and "groups" in groups.result
    calibrated = client.wait(gallery.calibrate(0.5, samples=4, apply=True))
    assert calibrated.result and calibrated.result["thresholds"] and gallery.thresholds()
    with pytest.raises(JobFailed) as raised:
        client.wait(gallery.calibrate(1e-6))
    assert raised.value.job.state == "failed" and raised.value.job.reason and raised.value.job.reason in str(raised.value)
    assert client.job(groups) == groups and groups.id in {j.id for j in client.jobs(page_size=2)}
    client.cancel(groups)
    with pytest.raises(NotFound):
        client.job(groups.id)


def test_analyses_of_a_gallery(client: Client, gallery: Gallery, world: World) -> None:
    with pytest.raises(NotFound):
        gallery.evaluation()
    for n in range(6):
        gallery.enrol(f"v{n // 2}", world.triple(n % 4), camera=f"c{n % 2}")
    client.wait(gallery.evaluate(samples=5, seed=3))
    found = gallery.evaluation()
    assert (found.samples, found.sightings, found.identities, found.seed, found.stale) == (5, 6, 3, 3, False)
    assert 0 <= found.all.mean_average_precision <= 1 and found.all.queries == 5 and found.scores[0].curve
    assert sum(found.scores[0].impostor) == 5
    client.wait(gallery.make_map(perplexity=2))
    shown = gallery.map(page_size=4)
    assert len(shown.items) == shown.samples == 6 and shown.trustworthiness is None
    assert {p.identity for p in shown.items} == {"v0", "v1", "v2"} and all(-1 <= p.x <= 1 and p.camera for p in shown.items)
    assert gallery.map(model=shown.model) == shown


def test_a_map_that_was_replaced_is_read_anew(fake: FakeServer) -> None:
    def page(name: str, sighting: str, cursor: Optional[str]) -> bytes:
        point = {"sighting": sighting, "identity": "i", "modalities": ["rgb"], "x": 0, "y": 1}
        return answer(200, json.dumps({
            "id": name, "model": "m", "stale": False, "created_at": "2026-01-01T00:00:00Z", "seed": 1, "sightings": 2,
            "identities": 1, "samples": 2, "perplexity": 2, "iterations": 750, "items": [point], "next": cursor}).encode())

    fake.answers = [page("1", "a", "n"), page("2", "c", None), page("2", "b", "n"), page("2", "c", None)]
    found = Client(fake.url).gallery("g").map()
    assert found.id == "2" and [p.sighting for p in found.items] == ["b", "c"]


def test_following_goes_on_over_broken_connections(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [stream(event("running", 1), whole=False), stream(event("running", 2)), b"", stream(event("succeeded", 3))]
    seen: List[int] = []
    job = Client(fake.url).wait("j", progress=lambda j: seen.append(j.done))
    assert job.state == "succeeded" and seen == [1, 2, 3] and len(fake.requests) == 4


def test_events_come_in_any_parts(fake: FakeServer) -> None:
    data = event("running", 1) + b": a comment\n\n" + event("cancelled", 2)
    fake.answers = [stream(*(data[n:n + 7] for n in range(0, len(data), 7)))]
    with pytest.raises(JobFailed, match="import j has cancelled: no disk"):
        Client(fake.url).wait("j")


def test_waiting_ends(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [stream(event("running"))] * 3
    with pytest.raises(TimedOut):
        Client(fake.url).wait("j", timeout=1e-9)
    fake.answers = [stream()]
    with pytest.raises(UnexpectedAnswer):
        Client(fake.url).wait("j")
    fake.answers = [answer(404, b"{}")]
    with pytest.raises(NotFound):
        Client(fake.url).wait("j")
