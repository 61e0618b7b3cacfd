"""Keys, what they may do and how often, and TLS, at real servers."""
from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import Certificate, Server, World

from triptych_client import (
    BadRequest, Client, ConnectionFailed, Event, Forbidden, NotFound, TooLarge, TooManyRequests, Triple, Unauthorized,
    Vectors,
)


@pytest.fixture
def admin(own: Server) -> Client:
    """Of a server with keys, and with galleries `east` and `west`."""
    with pytest.raises(BadRequest):
        Client(own.url).create_key("gate", "read")  # The first one must be an admin's.
    client = Client(own.url, key=Client(own.url).create_key("root", "admin").token)
    for name in ("east", "west"):
        client.create_gallery(name)
    return client


def test_keys_are_made_and_revoked(admin: Client) -> None:
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).replace(microsecond=0)
    made = admin.create_key("gate", "enrol", galleries=["east"], requests_per_minute=600, expires_at=tomorrow)
    key = made.key
    assert (key.role, key.galleries, key.requests_per_minute, key.expires_at) == ("enrol", ["east"], 600, tomorrow)
    assert made.token.split("_")[1] == key.id and made.token not in repr(made)
    assert admin.key(key.id) == key and [k.name for k in admin.keys()] == ["root", "gate"]
    gate = Client(admin.url, key=made.token)
    gate.gallery("east").create_identity("a")
    assert gate.rate_limit and gate.rate_limit.per_minute == 600 and gate.rate_limit.remaining < 600
    assert admin.rate_limit is None
    may = gate.access()
    assert (may.id, may.name, may.role, may.galleries) == (key.id, "gate", "enrol", ["east"])
    renaming, erasing = "POST /v1/galleries/{gallery}/identities/{identity}/rename", "DELETE /v1/galleries/{gallery}"
    assert renaming in may.operations and erasing not in may.operations and erasing in admin.access().operations
    assert admin.revoke_key(key).revoked_at and admin.revoke_key(key.id).revoked_at
    with pytest.raises(Unauthorized):
        gate.gallery("east").identity("a")
    with pytest.raises(NotFound) as raised:
        admin.key("0" * 12)
    assert raised.value.code == "key-not-found"


def test_without_a_good_key(admin: Client) -> None:
    for nobody in (Client(admin.url), Client(admin.url, key=f"triptych_{'0' * 12}_{'0' * 64}")):
        with pytest.raises(Unauthorized) as raised:
            next(nobody.galleries())
        assert raised.value.code == "unauthenticated"
        assert (nobody.ready().status, nobody.ready().model) == ("ready", None)
    assert admin.ready().model


def test_a_refusal_by_role_and_gallery(admin: Client) -> None:
    reader = Client(admin.url, key=admin.create_key("r", "read", galleries=["east"]).token)
    assert [g.name for g in reader.galleries()] == ["east"] and reader.gallery("east").summary().sightings == 0
    with pytest.raises(Forbidden) as raised:
        reader.gallery("east").create_identity("a")
    assert raised.value.code == "role-too-low"
    for call in (reader.gallery("west").summary, lambda: next(reader.events(gallery="west"))):
        with pytest.raises(Forbidden) as raised:
            call()
        assert raised.value.code == "other-gallery"


def test_who_asks_too_much_is_told_when_to_come_again(admin: Client) -> None:
    token = admin.create_key("eager", "read", requests_per_minute=60).token
    eager = Client(admin.url, key=token, retries=0)
    with pytest.raises(TooManyRequests) as raised:
        for _ in range(120):
            eager.gallery("east").summary()
    assert raised.value.retry_after == 1 and eager.rate_limit and eager.rate_limit.remaining == 0
    Client(admin.url, key=token).gallery("east").summary()  # It waits and asks again.


def test_events_of_a_key_end_with_it(admin: Client) -> None:
    made = admin.create_key("east", "read", galleries=["east"])
    told = Client(admin.url, key=made.token).events(after=0)
    for name in ("west", "east"):
        admin.gallery(name).enrol("a", Vectors({"rgb": [1.0]}, model="m"))
    event = next(told)
    assert isinstance(event, Event) and event.gallery == "east"
    admin.revoke_key(made.key)
    with pytest.raises(Unauthorized):
        next(told)


def test_the_audit(admin: Client) -> None:
    made = admin.create_key("gate", "enrol")
    Client(admin.url, key=made.token).gallery("east").create_identity("a")
    admin.gallery("east").erase_identity("a")
    records = list(admin.audit(page_size=1))
    assert {"key-created", "identity-erased"} <= {r.action for r in records} and len(records) > 3
    assert {r.key for r in admin.audit(by=made.key)} == {made.key.id}
    [erased] = admin.audit(action="identity-erased", gallery="east")
    root = admin.keys()[0]
    assert (erased.key, erased.count, erased.gallery) == (root.id, 1, "east") and erased.subject


def test_over_tls(world: World, tmp_path: Path, certificate: Certificate) -> None:
    settings = {"tls": {"certificate": certificate.path, "key": certificate.key}, "limits": {"body_bytes": 1 << 20}}
    with Server(tmp_path, world.checkpoint, **settings) as server:
        with pytest.raises(ConnectionFailed, match="certificate"):
            Client(server.url).health()
        client = Client(server.url, ca_file=certificate.path)
        client = Client(server.url, ca_file=certificate.path, key=client.create_key("root", "admin").token)
        gallery = client.create_gallery("g")
        triple = world.triple()
        seen = gallery.enrol("van", triple)
        assert gallery.query(triple).matches[0].identity == "van" and gallery.image(seen, "tir") == triple.images()["tir"]
        told = next(client.events(after=0))
        assert isinstance(told, Event) and told.sighting == seen.id
        assert client.upload_model(world.other).model

        with pytest.raises(Unauthorized):  # While it is being sent, for that has no end.
            Client(server.url, ca_file=certificate.path).gallery("g").import_lines(itertools.repeat(bytes(1 << 20)))
        with pytest.raises(TooLarge):
            gallery.enrol("van", Triple(rgb=bytes(16 << 20)))


def test_a_file_of_certificates_is_for_https(certificate: Certificate) -> None:
    with pytest.raises(ValueError, match="https"):
        Client("http://127.0.0.1", ca_file=certificate.path)
