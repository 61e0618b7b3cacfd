"""What is imported, as it is sent: never whole in memory."""
from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, Mapping, Optional, Union

from ._connection import Body
from ._decoding import encode
from ._transport import given
from .subjects import Metadata, Subject, Time, FilePath, fields

LINES, ARCHIVE = "application/x-ndjson", "application/x-tar"
_PART = 1 << 20

#: Is told how many bytes are sent, and of how many; None if that is not known.
Progress = Callable[[int, Optional[int]], None]


@dataclass(frozen=True)
class ImportLine:
    """A sighting to import; without a `subject` an identity beforehand. `label` is used only if the identity is new."""

    identity: str
    subject: Optional[Subject] = None
    label: Optional[str] = None
    camera: Optional[str] = None
    captured_at: Optional[Time] = None
    metadata: Optional[Metadata] = None
    idempotency_key: Optional[str] = None

    def document(self) -> Dict[str, Any]:
        return {**(fields(self.subject) if self.subject else {}), **given(
            identity=self.identity, label=self.label, camera=self.camera, captured_at=self.captured_at,
            metadata=self.metadata, idempotency_key=self.idempotency_key)}


def body_of_lines(lines: Iterable[Union[ImportLine, Mapping[str, Any], bytes]], progress: Optional[Progress]) -> Body:
    return Body(LINES, lambda: _gathered(lines), repeatable=False, progress=_told(progress, None))


def body_of_file(path: Path, media_type: str, progress: Optional[Progress]) -> Body:
    """A file, which is read as it is sent."""
    size = path.stat().st_size
    return Body(media_type, lambda: _opened(path), size, progress=_told(progress, size))


def body_of_rest(path: Path, offset: int, progress: Optional[Progress]) -> Body:
    """What an upload lacks of a file, which is read as it is sent."""
    size = path.stat().st_size
    told = None if progress is None else lambda sent: progress(offset + sent, size)
    return Body("application/partial-upload", lambda: _opened(path, offset), size - offset, progress=told, offset=offset)


def body_of_transfer(
    source: Union[FilePath, IO[bytes]], media_type: Optional[str], progress: Optional[Progress]
) -> Body:
    """A file, or an archive of a folder. The type is `media_type`, or by the name."""
    if not isinstance(source, (str, os.PathLike)):
        file = source
        kind = media_type or _type_of(str(getattr(file, "name", "")))
        return Body(kind, lambda: _read(file), repeatable=False, progress=_told(progress, None))
    path = Path(source)
    if path.is_dir():
        return Body(ARCHIVE, lambda: archive(path), progress=_told(progress, None))
    return body_of_file(path, media_type or _type_of(path.name), progress)


def archive(folder: Path) -> Iterator[bytes]:
    """A tar archive (POSIX pax) of a folder's files, in order of their names. Links lead to what they link to."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
        with path.open("rb") as file:
            entry.size = os.fstat(file.fileno()).st_size
            yield entry.tobuf(tarfile.PAX_FORMAT)
            left = entry.size
            while part := file.read(min(_PART, left)):
                left -= len(part)
                yield part
        if left:
            raise ValueError(f"{path}: expected {entry.size} bytes, found {left} fewer: was it changed meanwhile?")
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _type_of(name: str) -> str:
    if name.endswith(".tar"):
        return ARCHIVE
    if name.endswith((".ndjson", ".jsonl")):
        return LINES
    raise ValueError(f"expected a name that ends in .ndjson, .jsonl or .tar, or archive=True or False; found {name!r}")


def _gathered(lines: Iterable[Union[ImportLine, Mapping[str, Any], bytes]]) -> Iterator[bytes]:
    """Lines in parts worth sending. Bytes, as an export gives them, go as they are."""
    part = bytearray()
    for line in lines:
        if isinstance(line, bytes):
            part += line
        else:
            part += encode(line.document() if isinstance(line, ImportLine) else line) + b"\n"
        if len(part) >= _PART:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def _opened(path: Path, offset: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        yield from _read(file)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(_PART):
        yield part


def _told(progress: Optional[Progress], total: Optional[int]) -> Optional[Callable[[int], None]]:
    return None if progress is None else lambda sent: progress(sent, total)
