"""Events, of servers that are killed among them; streams that break anywhere, of one that breaks them."""
from __future__ import annotations

import itertools
import signal
import threading
from typing import Iterator, List, Union

import pytest
from conftest import FakeServer, Server, World, answer

from triptych_client import Client, ConnectionFailed, Event, Forbidden, Gallery, Missed, Sighting, UnexpectedAnswer, Vectors

Told = Union[Event, Missed]


def stream(*parts: str) -> bytes:
    """It breaks after the last part."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part.encode()) for part in parts)
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


def event(number: int) -> str:
    data = f'{{"id": {number}, "kind": "new", "at": "2026-01-31T12:00:00.000Z"}}'
    return f"id: {number}\nevent: new\ndata: {data}\n\n"


def ids(told: Iterator[Told], count: int) -> List[object]:
    return [one.id if isinstance(one, Event) else one for one in itertools.islice(told, count)]


def afters(fake: FakeServer) -> List[str]:
    return [r.line.split()[1].partition("?")[2] for r in fake.requests]


def test_events_and_a_watchlist(client: Client, gallery: Gallery, world: World) -> None:
    gallery.create_identity("van", label="Van")
    assert not gallery.identity("van").watchlist and gallery.update_identity("van", watchlist=True).watchlist
    seen = gallery.enrol("van", world.triple(), camera="north")
    gallery.identify(world.triple(1), threshold=-1, camera="south")
    other = gallery.enrol("other", world.triple(2))
    gallery.erase_sighting(other)
    told = client.events(gallery=gallery.name, after=0)
    enrolled, watched, matched, again, erased = (e for e in itertools.islice(told, 5) if isinstance(e, Event))
    kinds = [e.kind for e in (enrolled, watched, matched, again, erased)]
    assert kinds == ["enrolled", "watchlist", "matched", "watchlist", "erased"]
    assert (enrolled.identity, enrolled.label, enrolled.camera, enrolled.gallery) == ("van", "Van", "north", gallery.name)
    assert enrolled.seen and gallery.sighting(enrolled.seen) == seen and matched.score
    assert erased.detail == {"count": 1, "sightings": [other.id]} and erased.seen is None
    some = client.events(gallery=[gallery.name, "nowhere"], kind=["matched", "watchlist"], camera="south", after=0)
    assert ids(some, 2) == [matched.id, again.id]
    assert ids(client.events(gallery=gallery.name, after=again.id), 1) == [erased.id]


def test_nothing_is_missed_while_servers_are_killed(own: Server) -> None:
    """Two cameras enrol, the server is killed twice meanwhile, and one consumer goes on where another was ended."""
    client = Client(own.url, retries=8)
    gallery = client.create_gallery("g")
    seen: List[Event] = []
    enrolled: List[Sighting] = []
    reached = {20: threading.Event(), 70: threading.Event()}

    def consume() -> None:
        while True:
            for told in client.events(gallery="g", kind="enrolled", after=seen[-1].id if seen else 0):
                assert isinstance(told, Event)
                seen.append(told)
                if told.identity == "last":
                    return
                if len(seen) in reached:
                    reached[len(seen)].set()
                if len(seen) == 40:  # As if the process had ended here.
                    break

    def enrol(camera: str) -> None:
        for number in range(60):
            enrolled.append(gallery.enrol(f"{camera}-{number}", Vectors({"rgb": [1.0, number]}, model="m"), camera=camera))

    consumer = threading.Thread(target=consume, daemon=True)
    cameras = [threading.Thread(target=enrol, args=(camera,)) for camera in ("north", "south")]
    for thread in (consumer, *cameras):
        thread.start()
    for moment in reached.values():
        assert moment.wait(60)
        own.end(signal.SIGKILL)
        own.start()
    for thread in cameras:
        thread.join()
    enrolled.append(gallery.enrol("last", Vectors({"rgb": [1.0, 1.0]}, model="m")))
    consumer.join(60)
    assert sorted(e.sighting or "" for e in seen) == sorted(s.id for s in enrolled) and len(enrolled) == 121
    assert [e.id for e in seen] == sorted({e.id for e in seen})


def test_what_is_not_kept_is_missed(client: Client, gallery: Gallery) -> None:
    seen = [gallery.enrol("a", Vectors({"rgb": [1.0, 0.1]}, model="m"))]
    told = client.events(gallery=gallery.name, after=10**12)  # Of another database.
    assert next(told) == Missed(10**12)
    seen.append(gallery.enrol("b", Vectors({"rgb": [1.0, 0.1]}, model="m")))
    event = next(told)
    assert isinstance(event, Event) and event.seen and gallery.sighting(event.seen) in seen


def test_places_are_kept_over_broken_streams(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [
        stream("retry: 3000\n\n", event(3), event(4)[:20], event(4)[20:], event(5)[:-1]),  # 5 is not whole.
        b"", answer(502, b"a proxy"), answer(429, b"{}", Retry_After="40"),
        stream(event(5), ":\nid: 9\n\n", "id: 11\n"),
        stream("event: missed\ndata: {\"after\":9}\n\n", event(12)),
    ]
    assert ids(Client(fake.url).events(after=2), 5) == [3, 4, 5, Missed(9), 12]
    assert afters(fake) == ["after=2", "after=4", "after=4", "after=4", "after=4", "after=9"]
    assert all(3 <= w <= 3.75 for w in (waits[0], waits[2], waits[4])) and 40 <= waits[3] <= 50


def test_a_place_that_was_not_told_is_a_gap(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [stream("retry: 2000\n\n"), stream(event(7))]
    assert ids(Client(fake.url).events(), 2) == [Missed(None), 7]
    assert afters(fake) == ["", ""]


def test_events_that_cannot_be_had(fake: FakeServer, waits: List[float]) -> None:
    with pytest.raises(ValueError, match="admits nothing"):
        Client(fake.url).events(gallery=[])
    fake.answers = [answer(403, b"{}")]
    with pytest.raises(Forbidden):
        next(Client(fake.url).events())
    fake.answers = [b""]
    with pytest.raises(ConnectionFailed):
        next(Client(fake.url, retries=0).events())
    fake.answers = [stream("data: []\n\n")]
    with pytest.raises(UnexpectedAnswer):
        next(Client(fake.url).events())
    fake.answers = [stream(event(1)), answer(403, b"{}")]
    told = Client(fake.url).events()
    next(told)
    with pytest.raises(Forbidden):
        next(told)
