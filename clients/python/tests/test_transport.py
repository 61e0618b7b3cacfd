"""What is sent again and what is not, keys, and connections."""
from __future__ import annotations

import os
import pickle
import socket
import ssl
import threading
from pathlib import Path
from typing import Callable, Iterator, List

import pytest
from conftest import Certificate, FakeServer, answer

from triptych_client import (
    Client, Conflict, ConnectionFailed, NotFound, Overloaded, Problem, Refused, TimedOut, TooManyRequests, Triple,
    UnexpectedAnswer, Vectors,
)

JPEG = b"\xff\xd8\xff\xd9"
SIGHTING = b'{"id": "s", "identity": "a", "metadata": {}, "created_at": "2026-01-31T12:00:00.000Z", "modalities": []}'
BUSY = answer(503, b'{"type": "urn:triptych:problem:overloaded", "status": 503}', Retry_After="2")


def test_busy_server_is_asked_again_when_it_says(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [BUSY, answer(429, b"slow down"), answer()]
    Client(fake.url).health()
    assert 2 <= waits[0] <= 2.25 and waits[1] <= 0.5
    assert fake.connections == 1


def test_busy_server_is_given_up(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [BUSY] * 3
    with pytest.raises(Overloaded) as raised:
        Client(fake.url, retries=2).health()
    assert raised.value.retry_after == 2 and raised.value.code == "overloaded" and len(waits) == 2


def test_server_that_asks_for_hours_is_not_waited_for(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [answer(503, b"{}", Retry_After="3600")]
    with pytest.raises(Overloaded):
        Client(fake.url).health()
    assert waits == []


def test_consistent_client_says_what_it_has_seen(fake: FakeServer) -> None:
    fake.answers = [answer(X_Triptych_Sequence="7"), answer(X_Triptych_Sequence="5"), answer()] * 2
    for consistent in (True, False):
        client = Client(fake.url, consistent=consistent)
        for _ in range(3):
            client.health()
    seen = [r.header("X-Triptych-Sequence") for r in fake.requests]
    assert seen == [None, "7", "7", None, None, None]


def test_waits_grow(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [b""] * 6
    with pytest.raises(ConnectionFailed):
        Client(fake.url, retries=5).health()
    assert all(0.125 * 2**n <= w <= 0.25 * 2**n for n, w in enumerate(waits)) and len(waits) == 5


@pytest.mark.parametrize("broken", [b"", BUSY, b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 500\r\n\r\n{"])
def test_enrolment_is_repeated_with_one_key(fake: FakeServer, waits: List[float], broken: bytes) -> None:
    fake.answers = [broken, answer(201, SIGHTING), answer(201, SIGHTING)]
    gallery = Client(fake.url).gallery("g")
    gallery.enrol("a", Triple(rgb=JPEG))
    gallery.enrol("a", Triple(rgb=JPEG))
    keys = [r.header("Idempotency-Key") for r in fake.requests]
    assert keys[0] and keys[0] == keys[1] != keys[2]
    assert fake.requests[0].body == fake.requests[1].body


@pytest.mark.parametrize("broken", [b"", BUSY])
def test_what_could_happen_twice_is_sent_once(fake: FakeServer, waits: List[float], broken: bytes) -> None:
    client = Client(fake.url)
    gallery = client.gallery("g")
    calls: List[Callable[[], object]] = [
        lambda: client.create_gallery("g"), lambda: gallery.merge("a", ["b"]), lambda: gallery.calibrate(0.1),
        lambda: client.cancel("j"), lambda: gallery.import_lines([{"identity": "a"}]),
    ]
    for number, call in enumerate(calls, 1):
        fake.answers = [broken]
        with pytest.raises((ConnectionFailed, Overloaded)):
            call()
        assert len(fake.requests) == number
    assert waits == []


def test_what_was_too_much_is_sent_again_whatever_it_is(fake: FakeServer, waits: List[float]) -> None:
    """It was refused before anything was done."""
    fake.answers = [answer(429, b"{}", Retry_After="7"), answer(201, b'{"key": {"id": "k", "name": "n", "role": "read", '
                    b'"created_at": "2026-01-31T12:00:00.000Z"}, "token": "secret"}')]
    made = Client(fake.url).create_key("n", "read")
    assert made.token == "secret" and "secret" not in repr(made) and 7 <= waits[0] <= 7.25
    fake.answers = [answer(429, b"{}", Retry_After="7")]
    with pytest.raises(TooManyRequests) as raised:
        Client(fake.url).gallery("g").import_lines(iter([{"identity": "a"}]))  # What was read is gone.
    assert raised.value.retry_after == 7


def test_erasing_twice_after_a_broken_connection_is_erasing(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [b"", answer(404, b"{}")]
    Client(fake.url).gallery("g").erase()
    fake.answers = [BUSY, answer(404, b"{}")]
    with pytest.raises(NotFound):
        Client(fake.url).gallery("g").erase()


def test_nobody_listens(waits: List[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionFailed) as raised:
        Client(f"http://127.0.0.1:{port}", retries=2).create_gallery("g")
    assert not raised.value.sent and len(waits) == 2  # Nothing was sent, so this can be repeated too.


def test_silent_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(TimedOut):
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.05).health()


def test_answer_that_is_cut_off_is_noticed(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 90\r\n\r\n{\"identity\": \"a\"}\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
    ]
    gallery = Client(fake.url).gallery("g")
    for _ in range(2):
        lines = gallery.export_lines()
        next(lines)
        with pytest.raises(ConnectionFailed):
            next(lines)


def test_refusal_before_the_body_has_been_sent(fake: FakeServer) -> None:
    """The server answers from the head alone and stops reading, as it does for a body that is too large."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(1 << 16)
            connection.sendall(answer(413, b'{"type": "urn:triptych:problem:body-too-large"}', Connection="close"))
            done.wait()
            connection.close()

        done = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        sent: List[int] = []

        def lines() -> Iterator[bytes]:
            while True:
                yield bytes(1 << 20)

        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Problem) as raised:
            client.gallery("g").import_lines(lines(), progress=lambda done, total: sent.append(done))
        done.set()
        thread.join()
    assert raised.value.code == "body-too-large"


def test_connection_ends_with_a_body_that_cannot_be_made() -> None:
    """Even while the exception is kept: the server should not wait for the rest."""
    def lines() -> Iterator[bytes]:
        yield b"{}\n" * 1_000_000
        raise KeyError("no such image")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        read: List[int] = []

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(30)
            while part := connection.recv(1 << 16):
                read.append(len(part))
            ended.append(True)
            connection.close()

        ended: List[bool] = []
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(KeyError) as raised:
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}").gallery("g").import_lines(lines())
        thread.join()
    assert ended and sum(read) > 3_000_000 and raised.value.args == ("no such image",)


def test_connection_is_used_again_and_replaced_once_the_server_closed_it(fake: FakeServer, waits: List[float]) -> None:
    fake.answers = [answer(), answer(Connection="close"), answer(), answer(404, b"{}"), answer()]
    client = Client(fake.url)
    client.health()
    client.health()
    client.health()
    with pytest.raises(NotFound):
        client.gallery("g").summary()
    client.health()
    assert fake.connections == 2 and waits == []


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_threads_and_forks_have_connections_of_their_own(world: object, client: Client) -> None:
    found: List[str] = []
    threads = [threading.Thread(target=lambda: found.append(client.ready().status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["ready"] * 8
    child = os.fork()
    if child == 0:
        os._exit(0 if client.ready().status == "ready" else 1)
    assert client.ready().status == "ready"
    assert os.waitpid(child, 0)[1] == 0


def test_over_tls_to_whom_is_trusted_alone(tmp_path: Path, certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    fake = FakeServer(context)
    with pytest.raises(ConnectionFailed, match="certificate") as raised:
        Client(fake.url, key="secret").health()
    assert fake.requests == [] and not raised.value.sent
    client = Client(fake.url, key="secret", ca_file=certificate.path)
    fake.answers = [answer(422, b"{}"), answer()]
    (tmp_path / "model").write_bytes(bytes(5 << 20))  # Several parts: what TLS has to say after the first is no answer.
    with pytest.raises(Refused):
        client.upload_model(tmp_path / "model")
    client.health()
    assert len(fake.requests[0].body) == 5 << 20 and fake.connections == 2
    fake.close()


def test_key_is_sent_and_never_shown(fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("secret-2\n")
    monkeypatch.setenv("TRIPTYCH_URL", fake.url)
    monkeypatch.setenv("TRIPTYCH_KEY", "secret-3")
    clients = [Client(key="secret-1"), Client(key_file=file), Client()]
    for number, client in enumerate(clients, 1):
        fake.answers = [answer(401, b'{"type": "urn:triptych:problem:unauthorized", "detail": "no such key"}')]
        with pytest.raises(Problem) as raised:
            client.health()
        assert fake.requests[-1].header("Authorization") == f"Bearer secret-{number}"
        shown = f"{client!r} {client.gallery('g')!r} {raised.value!r} {raised.value}"
        assert "secret" not in shown
    for wrong in ("two words", "line\nX-Other: 1", "schlüssel", ""):
        with pytest.raises(ValueError) as refused:
            Client(key=wrong)
        assert not wrong or wrong not in str(refused.value)
    with pytest.raises(ValueError) as refused:
        Client("http://user:secret@127.0.0.1")
    assert "secret" not in str(refused.value)


def test_key_does_not_follow_redirects(fake: FakeServer) -> None:
    fake.answers = [answer(302, b"", Location="http://127.0.0.2:1/healthz")]
    with pytest.raises(Problem, match="redirects are not followed"):
        Client(fake.url, key="secret").health()
    assert len(fake.requests) == 1


def test_problems_say_what_the_server_said(fake: FakeServer) -> None:
    fake.answers = [answer(409, b'{"type": "urn:triptych:problem:gallery-exists", "title": "Conflict", "status": 409, '
                                b'"detail": "there is a gallery", "instance": "r-1", "field": "name"}')]
    with pytest.raises(Conflict) as raised:
        Client(fake.url).create_gallery("g")
    problem = raised.value
    for same in (problem, pickle.loads(pickle.dumps(problem))):
        assert (same.status, same.code, same.request_id, same.field) == (409, "gallery-exists", "r-1", "name")
        assert str(same) == "409 gallery-exists: there is a gallery"


def test_other_services_are_not_mistaken(fake: FakeServer) -> None:
    client = Client(fake.url, retries=0)
    fake.answers = [answer(200, b"<html>"), answer(200, b'{"status": 1}'), answer(502, b"<html>proxy</html>")]
    for _ in range(2):
        with pytest.raises(UnexpectedAnswer):
            client.ready()
    with pytest.raises(Problem, match="proxy") as raised:
        client.ready()
    assert raised.value.status == 502


def test_newer_members_are_ignored(fake: FakeServer) -> None:
    fake.answers = [answer(201, SIGHTING[:-1] + b', "colour": {"mean": 3}}')]
    assert Client(fake.url).gallery("g").enrol("a", Vectors({"rgb": [1, 0]})).id == "s"


def test_prefix_of_a_proxy_and_names_are_escaped(fake: FakeServer) -> None:
    fake.answers = [answer(404, b"{}")]
    with pytest.raises(NotFound):
        Client(fake.url + "/cameras/").gallery("g").identity("Ä 7/3")
    assert fake.requests[0].line == "GET /cameras/v1/galleries/g/identities/%C3%84%207%2F3 HTTP/1.1"
