"""JSON to dataclasses by their annotations, and values to JSON. Members that a dataclass lacks are ignored."""
from __future__ import annotations

import dataclasses
import functools
import json
import typing
from array import array
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterable, Iterator, List, Type, TypeVar, Union, cast

from .errors import UnexpectedAnswer

T = TypeVar("T")
_Reader = Callable[[Any], Any]


def decode(kind: Type[T], data: Any) -> T:
    """A `kind` from parsed JSON. Raises `UnexpectedAnswer`."""
    try:
        return cast(T, _reader(cast(Any, kind))(data))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UnexpectedAnswer(f"expected a {kind.__name__}, found {str(data)[:200]} ({error})") from error


def parse(body: bytes) -> Any:
    """JSON. Raises `UnexpectedAnswer`."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise UnexpectedAnswer(f"expected JSON, found {body[:80]!r}") from error


def lines_of(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, however they are cut into parts."""
    pieces: List[bytes] = []
    for part in parts:
        *whole, rest = part.split(b"\n")
        for line in whole:
            yield b"".join([*pieces, line])
            pieces.clear()
        pieces.append(rest)
    if any(pieces):
        yield b"".join(pieces)


def encode(value: Any) -> bytes:
    """JSON, in which times are RFC 3339 and arrays of any library are arrays of numbers."""
    return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":")).encode()


def rfc3339(time: Union[datetime, str]) -> str:
    """A time as the server reads it. Raises `ValueError` for one without a time zone: it could be any moment of a day."""
    if isinstance(time, str):
        return time
    if time.tzinfo is None:
        raise ValueError(f"expected a time with a time zone, found {time.isoformat()}: datetime.now(timezone.utc) has one")
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if hasattr(value, "tolist"):  # array.array, NumPy, PyTorch.
        return value.tolist()
    if isinstance(value, typing.Mapping):
        return dict(value)
    if isinstance(value, typing.Iterable):
        return list(value)
    raise TypeError(f"expected what JSON can say, found a {type(value).__name__}")


def _time(data: Any) -> datetime:
    return datetime.fromisoformat(data.replace("Z", "+00:00"))


@functools.lru_cache(maxsize=None)
def _reader(kind: Any) -> _Reader:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Union:
        inner = _reader(next(a for a in arguments if a is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is list:
        item = _reader(arguments[0])
        return lambda data: [item(d) for d in _checked(list, data)]
    if origin is dict:
        value = _reader(arguments[1])
        return lambda data: {k: value(v) for k, v in _checked(dict, data).items()}
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    if kind is datetime:
        return _time
    if kind is array:
        return lambda data: array("f", data)
    if kind is float:
        return lambda data: float(_checked((int, float), data))
    if kind in (str, bool, int):
        return functools.partial(_checked, kind)
    return lambda data: data


def _checked(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind):
        raise TypeError(f"a {type(data).__name__} in place of a {getattr(kind, '__name__', 'number')}")
    return data


def _record(kind: Any) -> _Reader:
    hints = typing.get_type_hints(kind)
    fields = {f.name: _reader(hints[f.name]) for f in dataclasses.fields(kind)}

    def read(data: Dict[str, Any]) -> Any:
        return kind(**{name: fields[name](value) for name, value in data.items() if name in fields})

    return read
