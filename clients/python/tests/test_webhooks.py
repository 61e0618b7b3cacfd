"""Webhooks, what each modality scores, and pictures, at a real server."""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import List, Tuple

import pytest
from conftest import Server, World

from triptych_client import BadRequest, Client, Conflict, Gallery, NotFound

SECRET = "0123456789abcdef0123456789abcdef"


class Receiver(HTTPServer):
    """Keeps what it is called with."""

    def __init__(self) -> None:
        self.calls: List[Tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        code = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        is_good = self.headers["webhook-signature"] == f"v1,{code}"
        self.server.calls.append((self.headers["webhook-id"] if is_good else "forged", body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_webhook_is_called(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    settings = {"webhooks": {"secret_file": str(secret), "allow_private": True, "allow_http": True}}
    with Server(tmp_path, world.checkpoint, **settings) as server:
        client, receiver = Client(server.url), Receiver()
        gallery = client.create_gallery("g")
        made = client.create_webhook(f"http://127.0.0.1:{receiver.server_port}/", galleries=["g"], kinds=["enrolled"])
        assert (made.state, made.filter) == ("active", {"galleries": ["g"], "kinds": ["enrolled"]})
        for name in ("a", "b", "c"):
            gallery.enrol(name, world.triple())
        deadline = time.monotonic() + 60
        while client.webhook(made).delivered < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [json.loads(body)["data"]["identity"] for _, body in receiver.calls] == ["a", "b", "c"]
        assert len({call for call, _ in receiver.calls} - {"forged"}) == 3
        assert [w.id for w in client.webhooks()] == [made.id] and client.revive_webhook(made).failures == 0
        with pytest.raises(BadRequest):
            client.create_webhook("ftp://example.org")
        client.delete_webhook(made)
        with pytest.raises(NotFound):
            client.webhook(made.id)
        receiver.shutdown()


def test_without_a_secret_there_are_none(client: Client) -> None:
    with pytest.raises(Conflict) as raised:
        client.create_webhook("https://example.org")
    assert raised.value.code == "webhooks-off"


def test_what_each_modality_scores_and_pictures(gallery: Gallery, world: World) -> None:
    seen = gallery.enrol("van", world.triple())
    match = gallery.query(world.triple(), by_modality=True).matches[0]
    assert match.by_modality and set(match.by_modality) == {"rgb", "nir", "tir"}
    assert all(abs(score - 1) < 1e-4 for score in match.by_modality.values())
    assert gallery.query(world.triple()).matches[0].by_modality is None
    small = gallery.image(seen, "rgb", width=16)
    assert small[:2] == b"\xff\xd8" and len(small) < len(gallery.image(seen, "rgb")) and gallery.image(seen, "rgb", crop=True)
