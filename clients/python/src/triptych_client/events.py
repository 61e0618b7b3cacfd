"""Server-sent events (WHATWG HTML, 9.2), and the server's own, over as many connections as it takes."""
from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Union

from ._decoding import decode, lines_of, parse
from ._transport import Query, Transport, path
from .answers import Event, Missed
from .errors import ConnectionFailed, Overloaded, Problem, TimedOut, TooManyRequests

#: The server says something every ten seconds; after three times that nobody is there any more.
_SILENCE_SECONDS = 30.0
#: Between two connections, until the server says how long.
_AGAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Message:
    """What stands between two blank lines. Without `data` it is a sign of life, or moves the place to `id`."""

    event: str
    data: bytes
    id: Optional[int]
    retry: Optional[float]


def messages(parts: Iterable[bytes]) -> Iterator[Message]:
    """The messages of a stream that are whole, however it is cut into parts."""
    event, place, retry = "", None, None
    data: List[bytes] = []
    for line in lines_of(parts):
        name, _, value = line.rstrip(b"\r").partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if name == b"event":
            event = value.decode("utf-8", "replace")
        elif name == b"data":
            data.append(value)
        elif name == b"id" and value.isdigit():
            place = int(value)
        elif name == b"retry" and value.isdigit():
            retry = int(value) / 1000
        elif not line.strip():
            yield Message(event, b"\n".join(data), place, retry)
            event, data, place, retry = "", [], None, None


class Following:
    """Follows the events that a query admits, from a place on or from now on."""

    def __init__(self, transport: Transport, query: Query, after: Optional[int]) -> None:
        self._transport, self._query, self._place = transport, query, after
        self._was_open, self._wait = False, _AGAIN_SECONDS

    def events(self) -> Iterator[Union[Event, Missed]]:
        """Without an end. A refusal is raised, and so is what goes wrong with the first connection."""
        while True:
            told = 0.0
            try:
                yield from self._stream()
            except (ConnectionFailed, TimedOut, Problem) as error:
                is_refusal = isinstance(error, Problem) and error.status < 500 and not isinstance(error, TooManyRequests)
                if is_refusal or not self._was_open:
                    raise
                told = isinstance(error, Overloaded) and error.retry_after or 0.0
            time.sleep(max(self._wait, told) * random.uniform(1, 1.25))  # Not all that were cut off come again at once.

    def _stream(self) -> Iterator[Union[Event, Missed]]:
        """Over one connection. The place is moved before an event is told: who asks for the next one has had it."""
        query = {**self._query, "after": self._place}
        with self._transport.open(
            path("events"), query=query, accept="text/event-stream", timeout=_SILENCE_SECONDS
        ) as stream:
            if self._was_open and self._place is None:
                yield Missed()
            self._was_open = True
            for message in messages(stream.parts()):
                self._place = self._place if message.id is None else message.id
                self._wait = self._wait if message.retry is None else message.retry
                if message.data:
                    told = parse(message.data)
                    yield decode(Missed, told) if message.event == "missed" else decode(Event, told)
