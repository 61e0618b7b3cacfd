"""Galleries, identities, sightings and corrections, at a real server."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import World

from triptych_client import BadRequest, Client, Conflict, Gallery, NotFound, SightingRef, Vectors

NOON = datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))


def test_galleries(client: Client, gallery: Gallery) -> None:
    assert gallery.name in {g.name for g in client.galleries(page_size=1)}
    with pytest.raises(Conflict):
        client.create_gallery(gallery.name)
    client.create_gallery(gallery.name, exist_ok=True)
    assert gallery.update(label="East", retention_days=30, metadata={"floor": 2}).retention_days == 30
    changed = gallery.update(label=None)
    assert (changed.label, changed.retention_days, changed.metadata) == (None, 30, {"floor": 2})
    assert gallery.summary().sightings == 0
    gallery.erase()
    with pytest.raises(NotFound) as raised:
        gallery.summary()
    assert raised.value.code == "gallery-not-found" and raised.value.request_id


def test_identities(gallery: Gallery) -> None:
    for n in range(5):
        gallery.create_identity(f"{n}/ä", label=f"Number {n}", metadata={"n": n})
    assert [i.id for i in gallery.identities(page_size=2)] == [f"{n}/ä" for n in range(5)]
    assert gallery.update_identity("1/ä", label=None).label is None
    assert gallery.identity("1/ä").metadata == {"n": 1}
    gallery.erase_identity("1/ä")
    with pytest.raises(NotFound):
        gallery.erase_identity("1/ä")


def test_sorted_lists_and_facets(gallery: Gallery) -> None:
    for n, label in enumerate(["Bus", None, "Car", "Bus 2"]):
        gallery.enrol(
            f"i{9 - n}", Vectors({"rgb": [1.0] * 24}), label=label, camera=f"c{n % 2}", captured_at=NOON + timedelta(hours=n))
    assert [i.id for i in gallery.identities(sort="name", page_size=3)] == ["i6", "i7", "i8", "i9"]
    assert [i.label for i in gallery.identities(sort="label", order="desc", page_size=1)] == ["Car", "Bus 2", "Bus"]
    assert [i.last_seen for i in gallery.identities(sort="last_seen")][0] == NOON + timedelta(hours=3)
    assert [i.id for i in gallery.identities(labelled=False)] == ["i8"]
    assert [i.id for i in gallery.identities(label="Bus 2")] == ["i6"]
    latest = list(gallery.sightings(sort="captured", order="desc", label_prefix="Bus", page_size=1))
    assert [s.identity for s in latest] == ["i6", "i9"]
    counts = gallery.facets(bucket="hour", camera="c1")
    assert counts.sightings == counts.identities == 2 and counts.cameras.items[0].camera == "c1"
    assert [t.start for t in counts.times.items] == [NOON + timedelta(hours=1), NOON + timedelta(hours=3)]
    assert counts.labelled.identities == counts.unlabelled.sightings == 1 and counts.modalities[0].modalities == []
    with pytest.raises(BadRequest):
        next(gallery.identities(sort="size"))
    with pytest.raises(ValueError):
        gallery.sightings(identity="i6", sort="captured")


def test_a_sighting_and_its_images(gallery: Gallery, world: World) -> None:
    triple = world.triple()
    seen = gallery.enrol("van", triple, camera="north", captured_at=NOON, metadata={"lane": 2}, label="Van")
    assert seen.captured_at == NOON and seen.modalities == ["nir", "rgb", "tir"]
    assert gallery.sighting(seen) == gallery.sighting(SightingRef("van", seen.id)) == seen
    assert gallery.image(seen, "tir") == triple.images()["tir"]
    assert gallery.identity("van").label == "Van"
    changed = gallery.update_sighting(seen, camera=None, metadata={})
    assert (changed.camera, changed.captured_at, changed.metadata) == (None, NOON, {})
    again = gallery.update_sighting(seen, captured_at="2026-02-01T00:00:00Z").captured_at
    assert again == datetime(2026, 2, 1, tzinfo=timezone.utc)
    gallery.erase_sighting(seen)
    with pytest.raises(NotFound):
        gallery.sighting(seen)


def test_enrolling_twice_with_a_key(gallery: Gallery, world: World) -> None:
    first = gallery.enrol("van", world.triple(), idempotency_key="gate-1")
    assert gallery.enrol("van", world.triple(), idempotency_key="gate-1") == first
    with pytest.raises(Conflict) as raised:
        gallery.enrol("van", world.triple(1), idempotency_key="gate-1")
    assert raised.value.code == "idempotency-conflict"


def test_sightings_by_camera_and_time(gallery: Gallery) -> None:
    for n in range(6):
        gallery.enrol(f"i{n % 2}", Vectors({"rgb": [1.0, n]}, model="m"), camera=f"c{n % 3}",
                      captured_at=NOON + timedelta(minutes=n))
    assert len(list(gallery.sightings(page_size=4))) == 6
    assert {s.identity for s in gallery.sightings(camera="c1")} == {"i0", "i1"}
    late = gallery.sightings(captured_after=NOON + timedelta(minutes=2), captured_before=NOON + timedelta(minutes=4))
    assert len(list(late)) == 2
    assert len(list(gallery.sightings(identity="i0", page_size=2))) == 3
    with pytest.raises(ValueError):
        gallery.sightings(identity="i0", captured_after=NOON)
    assert gallery.erase_sightings({"cameras": ["c0"], "captured_before": NOON + timedelta(minutes=1)}) == 1
    with pytest.raises(BadRequest):
        gallery.erase_sightings({})


def test_corrections(gallery: Gallery) -> None:
    seen = [gallery.enrol(name, Vectors({"rgb": [1.0, 0.1]}, model="m")) for name in ("a", "a", "b")]
    moved = gallery.move(seen[0], "c")
    assert (moved.kind, moved.identity, moved.sightings) == ("move", "c", 1)
    gallery.merge("b", ["a", "c"])
    gallery.split("b", [seen[0].id, seen[1]], "d")
    gallery.rename("d", "e")
    assert [i.id for i in gallery.identities()] == ["b", "e"]
    history = list(gallery.corrections(page_size=3))
    assert [c.kind for c in history] == ["move", "merge", "split", "rename"]
    with pytest.raises(Conflict) as raised:
        gallery.undo(moved)
    assert raised.value.code == "correction-outdated"
    for correction in reversed(history):
        assert gallery.undo(correction).undone_at
    assert {s.id: s.identity for s in gallery.sightings()} == {s.id: s.identity for s in seen}


def test_distinctions(gallery: Gallery) -> None:
    for name in ("a", "b", "c"):
        gallery.enrol(name, Vectors({"rgb": [1.0, 0.1]}, model="m"))
    said = gallery.distinguish("a", ["b", "c"])
    assert (said.kind, said.identity) == ("distinguish", "a")
    assert {d.identity for d in gallery.distinctions("a")} == {"b", "c"}
    assert [(d.identity, d.correction) for d in gallery.distinctions("c")] == [("a", said.id)]
    gallery.undo(said)
    assert gallery.distinctions("a") == []


def test_a_time_without_a_zone_is_refused_here(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="time zone"):
        gallery.enrol("a", Vectors({"rgb": [1.0]}, model="m"), captured_at=datetime(2026, 1, 31))
