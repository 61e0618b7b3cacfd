"""A real server with a tiny model, and one that says what a test wants."""
from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional

import pytest

from triptych_client import Client, Gallery, Triple

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("TRIPTYCH_BINARY", HERE.parents[2] / ".build" / "release" / "triptych")).resolve()


@dataclass
class World:
    """A server, its data set, and checkpoints: the one that it serves, and another."""

    server: Server
    data: Path
    checkpoint: Path
    other: Path

    @property
    def url(self) -> str:
        return self.server.url

    def triple(self, number: int = 0, split: str = "gallery") -> Triple:
        """Numbers 0 and 1 are of one vehicle in the pictures of two cameras, 2 and 3 of the next."""
        name = sorted(p.name for p in (self.data / split / "rgb").iterdir())[number]
        rgb, nir, tir = (self.data / split / modality / name for modality in ("rgb", "nir", "tir"))
        return Triple(rgb, nir, tir)


def triptych(*arguments: object) -> None:
    made = subprocess.run([str(BINARY), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert made.returncode == 0, made.stdout


class Server:
    """`triptych serve`, which can be killed and started again at the same port, with the same database."""

    def __init__(self, folder: Path, checkpoint: Path, **settings: object) -> None:
        self._config, self.url = folder / "server.yaml", ""
        self._config.write_text(json.dumps(  # YAML it is too.
            {"checkpoint": str(checkpoint), "database": str(folder / "g.sqlite"), "port": 0, **settings}))

    def start(self) -> None:
        port = ["--port", self.url.rpartition(":")[2]] if self.url else []
        self._process = subprocess.Popen(
            [str(BINARY), "serve", "--config", str(self._config), *port],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout
        log: List[str] = []
        for line in self._process.stdout:
            log.append(line)
            if found := re.search(r"listening on (https?://\S+:\d+)", line):
                break
        else:
            pytest.fail("".join(log))
        self.url = found[1]
        # Read on, so that the server never waits for its log to be read.
        self._reader = threading.Thread(target=log.extend, args=(self._process.stdout,))
        self._reader.start()

    def end(self, number: int = signal.SIGTERM) -> None:
        self._process.send_signal(number)
        self._reader.join()
        self._process.wait()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not BINARY.exists():
        pytest.fail(f"there is no {BINARY}: make build, or set TRIPTYCH_BINARY")
    folder = tmp_path_factory.mktemp("triptych")
    triptych("synthesize", "--output", folder / "data", "--identities", 8, "--cameras", 2, "--sightings", 2,
             "--height", 32, "--width", 64, "--seed", 1)
    for seed in (1, 2):
        triptych("train", "--config", HERE / "tiny.yaml", "--data", folder / "data", "--output", folder / str(seed),
                 "--seed", seed)
    checkpoints = [folder / str(seed) / "model.safetensors" for seed in (1, 2)]
    with Server(folder, checkpoints[0]) as server:
        yield World(server, folder / "data", *checkpoints)


@pytest.fixture
def own(world: World, tmp_path: Path) -> Iterator[Server]:
    """A server that is one test's alone."""
    with Server(tmp_path, world.checkpoint) as server:
        yield server


@dataclass
class Certificate:
    """Of 127.0.0.1, signed by itself."""

    path: str
    key: str


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    made = Certificate(str(tmp_path / "certificate.pem"), str(tmp_path / "certificate.key"))
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", made.key, "-out", made.path,
                        "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    return made


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[Client]:
    with Client(world.url) as client:
        client.ready()
        yield client


@pytest.fixture
def gallery(client: Client) -> Iterator[Gallery]:
    """An empty one, and the only one: what has no images would stand in the way of another model."""
    yield client.create_gallery(uuid.uuid4().hex)
    for left in client.galleries():
        client.gallery(left.name).erase()


@dataclass
class Request:
    """What the fake server was sent."""

    line: str
    head: str
    body: bytes

    def header(self, name: str) -> Optional[str]:
        found = re.search(rf"^{re.escape(name)}: (.*?)\r?$", self.head, re.M | re.I)
        return found[1] if found else None


def answer(status: int = 200, body: bytes = b'{"status": "ok"}', **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += (f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
    return "\r\n".join([*lines, "", ""]).encode() + body


class FakeServer:
    """Gives the answers that it is told, one a request; b"" closes the connection. `requests` is what it was sent."""

    def __init__(self, context: Optional[ssl.SSLContext] = None) -> None:
        self.context = context
        self.answers: List[bytes] = []
        self.requests: List[Request] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection = self.context.wrap_socket(connection, server_side=True) if self.context else connection
        except ssl.SSLError:  # The client does not trust it.
            return connection.close()
        with connection, connection.makefile("rb") as file:
            while line := file.readline().decode():
                head = "".join(iter(lambda: file.readline().decode(), "\r\n"))
                request = Request(line.rstrip(), head, b"")
                if request.header("Transfer-Encoding"):
                    while size := int(file.readline() or b"-1", 16):
                        if size < 0:  # The client has given it up.
                            return
                        request.body += file.read(size)
                        file.readline()
                    file.readline()
                else:
                    request.body = file.read(int(request.header("Content-Length") or 0))
                self.requests.append(request)
                said = self.answers.pop(0)
                connection.sendall(said)
                if not said or b"Connection: close" in said:
                    return


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> List[float]:
    """What the client would have waited, in seconds; it does not."""
    waited: List[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited
