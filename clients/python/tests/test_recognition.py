"""Vectors, queries, online recognition and thresholds, at a real server."""
from __future__ import annotations

import math
from array import array
from dataclasses import replace
from typing import List

import pytest
from conftest import World

from triptych_client import (
    BadRequest, Client, Conflict, Gallery, Problem, QueryResult, QuerySubject, Refused, SightingRef, Subject, Text, Triple,
    Vector, Vectors,
)


def test_the_service(client: Client) -> None:
    client.health()
    ready = client.ready()
    assert ready.modalities == ["rgb", "nir", "tir"] and ready.dimension == 24
    assert "triptych_sightings" in client.metrics()
    assert client.contract().startswith("openapi:")


def test_embeddings_and_comparisons(client: Client, world: World) -> None:
    embedding = client.embed(world.triple())
    assert isinstance(embedding.embedding, array) and embedding.embedding.typecode == "f"
    assert math.isclose(sum(v * v for v in embedding.embedding), 1, abs_tol=1e-5)
    assert set(embedding.vectors) == {"rgb", "nir", "tir"}
    same = client.compare(world.triple(), replace(world.triple(), rgb=None))
    assert math.isclose(same.score, 1, abs_tol=1e-5) and same.modalities == [["nir", "tir"], ["nir", "tir"]]
    with pytest.raises(Refused) as raised:
        client.embed(Triple(nir=b"no image"))
    assert raised.value.modality == "nir"


def test_a_sighting_is_found_by_all_that_can_be_asked_with(client: Client, gallery: Gallery, world: World) -> None:
    seen = [gallery.enrol(f"v{n}", world.triple(n), camera=f"c{n}") for n in range(4)]
    embedding = client.embed(world.triple())
    subjects: List[Subject] = [
        world.triple(), Triple(tir=world.triple().tir), embedding, Vectors(embedding.vectors, embedding.model),
        Vector(embedding.embedding, embedding.modalities),
    ]
    for subject in subjects:
        found = gallery.query(subject, limit=1)
        assert found.matches[0].sighting == seen[0].id and math.isclose(found.matches[0].score, 1, abs_tol=1e-4)
    assert seen[0].id not in {m.sighting for m in gallery.query(seen[0]).matches}
    assert gallery.query(SightingRef("v0", seen[0].id)).matches == gallery.query(seen[0]).matches
    with pytest.raises(Refused) as raised:
        gallery.query(Text("white van"))
    assert raised.value.code == "text-refused"


def test_several_exemplars_galleries_and_sightings(client: Client, gallery: Gallery, world: World) -> None:
    def triple(number: int) -> Triple:
        return world.triple(number, "train")

    other = client.create_gallery(gallery.name + "-2")
    seen = [(gallery if n < 4 else other).enrol(f"v{n // 2}", triple(n), camera=f"c{n % 2}") for n in range(6)]
    embedding = client.embed(triple(0))
    mixed: List[QuerySubject] = [triple(1), Triple(tir=triple(0).tir), embedding, seen[2]]
    for subject in (mixed, mixed[:2]):
        match = gallery.query(subject, by_exemplar=True, group_by="sighting").matches[0]
        assert match.by_exemplar and len(match.by_exemplar) == len(subject)
        assert math.isclose(match.score, sum(s or 0 for s in match.by_exemplar) / len(subject), abs_tol=1e-6)
    best = gallery.query(mixed, combine="best", limit=1).matches[0]
    assert math.isclose(best.score, 1, abs_tol=1e-4) and best.counted is None
    scored = gallery.query(triple(0), score={"mean_of_best": 5})
    assert [m.counted for m in scored.matches] == [2, 2]
    assert gallery.query(triple(0), score="per_camera").matches[0].counted == 2
    both = client.query([gallery.name, other.name], triple(4), group_by="sighting")
    assert both.matches[0].gallery == other.name and {m.gallery for m in both.matches} == {gallery.name, other.name}
    batch = gallery.query_batch([mixed, triple(0)], limit=1).results
    assert isinstance(batch[0], QueryResult) and batch[0].matches == gallery.query(mixed, limit=1).matches
    with pytest.raises(BadRequest) as raised:
        gallery.query(triple(0), score={"mean_of_best": 0})
    assert raised.value.field == "options.score.mean_of_best"


def test_options_of_queries(gallery: Gallery, world: World) -> None:
    for n in range(4):
        gallery.enrol(f"v{n // 2}", world.triple(n), camera=f"c{n}", metadata={"n": n})
    everything = gallery.query(world.triple(), group_by="sighting", limit=10, rerank=True)
    assert len(everything.matches) == 4 and everything.timing
    some = gallery.query(world.triple(), filter={"exclude_cameras": ["c0"], "metadata": {"n": {"lt": 3}}}, rerank=50)
    assert {m.camera for m in some.matches} <= {"c1", "c2"}
    assert gallery.query(world.triple(), filter={"cameras": ["c9"]}, threshold=0.5).unknown
    with pytest.raises(BadRequest) as raised:
        gallery.query(world.triple(), limit=0)
    assert raised.value.field == "options.limit"


def test_a_batch_has_a_result_for_each(gallery: Gallery, world: World) -> None:
    seen = gallery.enrol("v", world.triple())
    forms = gallery.query_batch([world.triple(), Triple(rgb=b"no image")], limit=1)
    assert isinstance(forms.results[0], QueryResult) and forms.results[0].matches[0].sighting == seen.id
    assert isinstance(forms.results[1], Problem) and isinstance(forms.results[1], Refused)
    mixed = gallery.query_batch([world.triple(), seen])
    assert [len(r.matches) for r in mixed.results if isinstance(r, QueryResult)] == [1, 0]


def test_a_newcomer_is_recognised_the_second_time(client: Client, gallery: Gallery, world: World) -> None:
    with pytest.raises(Conflict) as raised:
        gallery.identify(world.triple())
    assert raised.value.code == "no-threshold"
    gallery.set_thresholds({"rgb+nir+tir": 0.999, "tir": 0.999})
    assert sorted(len(t.modalities) for t in gallery.thresholds()) == [1, 3]
    dry = gallery.identify(world.triple(), dry_run=True)
    assert dry.identity is None and dry.sightings == [] and not dry.matched
    first = gallery.identify(world.triple(), camera="north", idempotency_key="k")
    assert first.new and first.identity and first.quality[0]["rgb"].side > 0
    assert gallery.identify(world.triple(), camera="north", idempotency_key="k").replayed
    second = gallery.identify([world.triple(), world.triple()], margin=0.0, limit=3)
    assert second.matched and second.identity == first.identity and len(second.sightings) == 2
    assert second.contenders[0].threshold == pytest.approx(0.999)
    assert gallery.sighting(second.contenders[0]).identity == first.identity
    by_vectors = gallery.identify([client.embed(world.triple()), world.triple()], threshold=0.999)
    assert by_vectors.matched and by_vectors.quality[0] == {} and by_vectors.quality[1]


def test_duplicates_are_found(client: Client, gallery: Gallery, world: World) -> None:
    seen = [gallery.enrol(name, world.triple()) for name in ("a", "b")]
    found = gallery.similar("a", limit=5)
    [similar] = found.items
    assert found.model == client.ready().model
    assert (similar.identity, similar.sighting, similar.resembles) == ("b", seen[1].id, seen[0].id)
