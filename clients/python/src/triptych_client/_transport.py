"""Requests with their key and their repetitions, and answers as parsed JSON."""
from __future__ import annotations

import random
import re
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Type, TypeVar, Union
from urllib.parse import quote, urlencode

from ._connection import Body, Exchange, Pool
from ._decoding import decode, encode, parse, rfc3339
from ._version import __version__
from .answers import RateLimit
from .errors import ConnectionFailed, NotFound, Overloaded, TooManyRequests, problem_of_answer

T = TypeVar("T")
#: A sequence is given once for each of its members.
_Parameter = Union[str, int, bool, datetime, Sequence[str], None]
Query = Mapping[str, _Parameter]

_IDEMPOTENT = frozenset({"GET", "PUT", "PATCH", "DELETE"})  # A patch here sets values, so it can be repeated.
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 30.0
#: RateLimit-Policy and RateLimit as this server writes them (draft-ietf-httpapi-ratelimit-headers).
_RATE = re.compile(r'"key";q=(\d+);w=60 "key";r=(\d+);t=(\d+)')


@dataclass(frozen=True)
class _Page:
    items: List[Any]
    next: Optional[str]


class Transport:
    """Sends requests to one server, again where that is safe. Any number of threads may use it."""

    def __init__(
        self, url: str, key: Optional[str], timeout: float, retries: int, context: Optional[ssl.SSLContext],
        consistent: bool = False,
    ) -> None:
        if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("key: expected printable ASCII without spaces")
        if timeout <= 0 or retries < 0:
            raise ValueError("expected a timeout above 0 and no less than 0 retries")
        self.pool = Pool(url, timeout, context)
        #: What the server has said last of what the key may send; None if nothing bounds it.
        self.rate_limit: Optional[RateLimit] = None
        # The last change that an answer has known of.
        self._sequence = 0
        self._consistent = consistent
        self._retries = retries
        self._headers = {"User-Agent": f"triptych-client/{__version__}"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"

    def ask(
        self, kind: Type[T], method: str, path: str, document: Optional[Mapping[str, Any]] = None, *,
        body: Optional[Body] = None, query: Optional[Query] = None, key: Optional[str] = None,
        safe: Optional[bool] = None, timeout: Optional[float] = None,
    ) -> T:
        """What is answered, as a `kind`. `document` is sent as JSON; the rest is as in `send`."""
        if document is not None:
            body = Body.of("application/json", encode(document))
        answer = self.send(method, path, body, query=query, key=key, safe=safe, timeout=timeout)
        return decode(kind, parse(answer))

    def send(
        self, method: str, path: str, body: Optional[Body] = None, *, query: Optional[Query] = None,
        key: Optional[str] = None, safe: Optional[bool] = None, timeout: Optional[float] = None,
    ) -> bytes:
        """What is answered. `key` is an Idempotency-Key.

        After a failure it is sent again if it has a key or the method is idempotent, or as `safe` says.
        """
        def attempt() -> bytes:
            with self._exchange(method, path, body, query, key, "application/json", timeout) as exchange:
                return exchange.read()

        if safe is None:
            safe = method in _IDEMPOTENT or key is not None
        repeatable = body is None or body.repeatable
        return self._repeated(attempt, safe and repeatable, repeatable)

    def erase(self, path: str) -> None:
        """Not found after a broken connection, it was erased by the request that got no answer."""
        broken = False

        def attempt() -> None:
            nonlocal broken
            try:
                with self._exchange("DELETE", path) as exchange:
                    exchange.read()
            except ConnectionFailed:
                broken = True
                raise
            except NotFound:
                if not broken:
                    raise

        self._repeated(attempt)

    def open(
        self, path: str, *, query: Optional[Query] = None, accept: str = "*/*", timeout: Optional[float] = None
    ) -> Exchange:
        """An answer to read as it comes. Close it."""
        return self._repeated(lambda: self._exchange("GET", path, query=query, accept=accept, timeout=timeout))

    def pages(self, kind: Type[T], path: str, page_size: int, **query: _Parameter) -> Iterator[T]:
        """The items of a list, asked for a page at a time as they are looked at."""
        cursor: Optional[str] = None
        while True:
            page = self.ask(_Page, "GET", path, query={**query, "limit": page_size, "cursor": cursor})
            for item in page.items:
                yield decode(kind, item)
            cursor = page.next
            if cursor is None:
                return

    def _exchange(
        self, method: str, path: str, body: Optional[Body] = None, query: Optional[Query] = None,
        key: Optional[str] = None, accept: str = "application/json", timeout: Optional[float] = None,
    ) -> Exchange:
        parameters = urlencode(
            {name: _text(value) for name, value in (query or {}).items() if value is not None}, doseq=True,
            quote_via=quote)  # A plus is a plus in a URL; only in forms it is a space.
        headers = {**self._headers, "Accept": accept, **({"Idempotency-Key": key} if key is not None else {})}
        if self._consistent and self._sequence:
            headers["X-Triptych-Sequence"] = str(self._sequence)
        target = f"{path}?{parameters}" if parameters else path
        exchange = self.pool.exchange(method, target, headers, body, timeout)
        if told := _RATE.fullmatch(" ".join(exchange.headers.get(n, "") for n in ("ratelimit-policy", "ratelimit"))):
            self.rate_limit = RateLimit(*(int(number) for number in told.groups()))
        if 200 <= exchange.status < 300:
            sequence = exchange.headers.get("x-triptych-sequence", "")
            if sequence.isdigit():
                self._sequence = max(self._sequence, int(sequence))
            return exchange
        with exchange:
            text = exchange.read()
        raise problem_of_answer(exchange.status, exchange.reason, exchange.headers, text)

    def _repeated(self, attempt: Callable[[], T], safe: bool = True, repeatable: bool = True) -> T:
        number = 0
        while True:
            try:
                return attempt()
            except (Overloaded, ConnectionFailed) as error:
                # What was too much was refused before anything was done.
                is_safe = repeatable if isinstance(error, TooManyRequests) else safe
                wait = _wait(error, number, is_safe) if number < self._retries else None
                if wait is None:
                    raise
            time.sleep(wait)
            number += 1


def _wait(error: Union[Overloaded, ConnectionFailed], number: int, safe: bool) -> Optional[float]:
    """Seconds until the next try, twice as long each time less some chance, after what the server says. None: no more."""
    backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2**number) * random.uniform(0.5, 1)
    if isinstance(error, ConnectionFailed):
        return backoff if error.repeatable and (safe or not error.sent) else None
    told = error.retry_after or 0
    return told + backoff if safe and told <= _LONGEST_WAIT else None


def _text(value: _Parameter) -> Union[str, Sequence[str]]:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence):
        return value
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def path(*names: str) -> str:
    """A path of names, each escaped: an identity may be called `7/3`."""
    return "/v1/" + "/".join(quote(name, safe="") for name in names)


def given(**members: Any) -> Dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in members.items() if value is not None}
