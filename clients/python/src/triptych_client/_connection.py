"""One exchange over one connection, and the connections that are kept for the next."""
from __future__ import annotations

import io
import os
import selectors
import socket
import ssl
import threading
import weakref
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, cast
from urllib.parse import quote, urlsplit

from .errors import ConnectionFailed, TimedOut

_CONNECT_SECONDS = 10.0
_PART = 1 << 18


@dataclass(frozen=True)
class Body:
    """What a request sends: `parts` gives its bytes, anew each time if it is `repeatable`.

    Without a `length` it goes in chunks. `progress` is told how many bytes are sent.
    """

    media_type: str
    parts: Callable[[], Iterable[bytes]]
    length: Optional[int] = None
    repeatable: bool = True
    progress: Optional[Callable[[int], None]] = None
    #: Where in the whole it begins, if it is a piece of it.
    offset: Optional[int] = None

    @staticmethod
    def of(media_type: str, data: bytes) -> Body:
        return Body(media_type, lambda: (data,), len(data))


class Exchange:
    """An answer whose body is still to be read. Close it; a connection whose answer was read whole is used again."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse, pool: Pool, reusable: bool) -> None:
        self._connection, self._response, self._pool, self._reusable = connection, response, pool, reusable
        self._whole = False
        self.status = response.status
        self.reason = response.reason
        self.headers: Dict[str, str] = {k.lower(): v for k, v in response.getheaders()}

    def parts(self) -> Iterator[bytes]:
        """The body, as it comes. Raises `ConnectionFailed` if it does not come whole."""
        with _failures(self._pool.origin, sent=True):
            while part := self._response.read1(_PART):
                yield part
            if self._response.length:
                raise ConnectionError(f"{self._response.length} bytes of the answer are missing")
        self._response.close()  # Some versions of http.client do not notice its end.
        self._whole = True

    def read(self) -> bytes:
        return b"".join(self.parts())

    def wait_at_most(self, seconds: float) -> None:
        """From now on reading raises `TimedOut` if nothing comes for so long."""
        if self._connection.sock is not None:
            self._connection.sock.settimeout(max(seconds, 0.001))

    def close(self) -> None:
        if self._whole and self._reusable:
            self._pool.give(self._connection)
        else:
            self._connection.close()
            self._response.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Pool:
    """Connections to one server, each used by one thread at a time. A forked process has its own."""

    def __init__(self, url: str, timeout: float, context: Optional[ssl.SSLContext], most: int = 16) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url: expected http://HOST:PORT or https://HOST:PORT")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("url: expected no user, query or fragment; a key is given as key or key_file")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = quote(parts.path.rstrip("/"), safe="/%")
        self.timeout = timeout
        is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port or (443 if is_secure else 80)
        self._context = (context or ssl.create_default_context()) if is_secure else None
        self._most, self._lock = most, threading.Lock()
        self._idle: List[HTTPConnection] = []
        _pools.add(self)

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: Optional[Body], timeout: Optional[float]
    ) -> Exchange:
        """Sends a request and returns once the answer's head has come. Raises `ConnectionFailed` or `TimedOut`."""
        connection = self._take(timeout or self.timeout)
        try:
            with _failures(self.origin, sent=True):
                connection.putrequest(method, self.prefix + target)
                for name, value in headers.items():
                    connection.putheader(name, value)
            whole = _send(connection, method, body, self.origin)
            with _failures(self.origin, sent=True):
                return Exchange(connection, connection.getresponse(), self, reusable=whole)
        except BaseException:
            connection.close()
            raise

    def give(self, connection: HTTPConnection) -> None:
        with self._lock:
            if connection.sock is not None and len(self._idle) < self._most:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def forked(self) -> None:
        """In the new process. Another thread of the old one may have held the lock; closing copies closes nothing there."""
        self._lock = threading.Lock()
        self.close()

    def _take(self, timeout: float) -> HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect(timeout)
            if connection.sock is not None and not _readable(connection.sock):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()  # The server has closed it.

    def _connect(self, timeout: float) -> HTTPConnection:
        wait = min(timeout, _CONNECT_SECONDS)
        connection = (
            HTTPSConnection(self._host, self._port, timeout=wait, context=self._context)
            if self._context else HTTPConnection(self._host, self._port, timeout=wait))
        with _failures(self.origin, sent=False):
            connection.connect()
        connection.sock.settimeout(timeout)
        return connection


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _forked() -> None:
    for pool in _pools:
        pool.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _send(connection: HTTPConnection, method: str, body: Optional[Body], origin: str) -> bool:
    """Sends the head's end and the body. False if it stopped because an answer came before: that is a refusal."""
    if body is not None:
        connection.putheader("Content-Type", body.media_type)
        if body.offset is not None:
            connection.putheader("Upload-Offset", str(body.offset))
        is_chunked = body.length is None
        connection.putheader(*(("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(body.length))))
    elif method not in ("GET", "DELETE"):
        connection.putheader("Content-Length", "0")
    with _failures(origin, sent=True):
        connection.endheaders()
    setattr(connection, "response_class", HTTPResponse)
    if body is None:
        return True
    begun = _Begun(connection.sock)
    setattr(connection, "response_class", begun.response)
    try:
        return _send_body(begun, body, origin)
    except BaseException:
        begun.close()
        raise


def _send_body(begun: _Begun, body: Body, origin: str) -> bool:
    sent, is_chunked = 0, body.length is None
    for part in filter(None, body.parts()):  # What this raises is the caller's and no failure of the connection.
        framed = b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part
        with _failures(origin, sent=True):
            if not begun.delivered(framed):
                return False
        sent += len(part)
        if body.progress:
            body.progress(sent)
    if is_chunked:
        with _failures(origin, sent=True):
            return begun.delivered(b"0\r\n\r\n")
    if sent != body.length:
        raise ValueError(f"expected {body.length} bytes to send, found {sent}: was the file changed meanwhile?")
    return True


class _Begun:
    """Sends a body, and notices an answer that begins meanwhile: what was read of it, the response begins with."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._file = sock, sock.makefile("rb")

    def makefile(self, mode: str) -> io.BufferedReader:
        return self._file

    def close(self) -> None:
        """Unless the response does; a socket is open for as long as this is."""
        self._file.close()

    def response(self, sock: socket.socket, *arguments: Any, **named: Any) -> HTTPResponse:
        return HTTPResponse(cast(socket.socket, self), *arguments, **named)

    def delivered(self, data: bytes) -> bool:
        """Sends; False if the server answers meanwhile, or no longer reads, which it may have answered before."""
        timeout, left = self._sock.gettimeout(), memoryview(data)
        self._sock.settimeout(0)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
                while left:
                    ready = selector.select(timeout)
                    if not ready:
                        raise socket.timeout("timed out")
                    if ready[0][1] & selectors.EVENT_READ and self._is_answered():
                        return False
                    left = left[self._sent(left):]
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False
        finally:
            self._sock.settimeout(timeout)

    def _sent(self, data: memoryview) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def _is_answered(self) -> bool:
        try:
            self._file.peek(1)
            return True
        except ssl.SSLWantReadError:  # TLS has tickets to read, which are no answer.
            return False


def _readable(sock: socket.socket) -> bool:
    """Whether there is something to read, or the other side has closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


class _failures:
    """Makes what can go wrong with a connection this client's exceptions."""

    def __init__(self, origin: str, *, sent: bool) -> None:
        self._origin, self._is_sent = origin, sent

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, socket.timeout):
            raise TimedOut(f"{self._origin} did not answer in time") from error
        if isinstance(error, (OSError, HTTPException)):
            repeatable = isinstance(error, (ConnectionError, HTTPException))
            said = str(error) or type(error).__name__
            raise ConnectionFailed(f"{self._origin}: {said}", sent=self._is_sent, repeatable=repeatable) from error
