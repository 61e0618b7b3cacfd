"""What is enrolled, identified, queried with and filtered by: triples of images, vectors, texts; and how they are sent."""
from __future__ import annotations

import base64
import io
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, Mapping, Optional, Protocol, Sequence, TypedDict, Union, cast

from ._connection import Body
from ._decoding import encode
from ._transport import given
from .answers import Contender, Embedding, Match, Sighting, SightingRef, Value

if TYPE_CHECKING:
    FilePath = Union[str, os.PathLike[str]]
else:
    FilePath = Union[str, os.PathLike]

#: A moment: a `datetime` with a time zone, or RFC 3339.
Time = Union[datetime, str]
#: Flat, the client's own.
Metadata = Mapping[str, Value]
#: A value, some of which it must be one, or bounds: `{"gte": 30, "lt": 50}`.
Condition = Union[Value, Sequence[Value], Mapping[str, Union[str, float]]]


class Savable(Protocol):
    """What saves itself to a file as PIL's images do."""

    def save(self, fp: Any, format: Optional[str] = None) -> Any: ...


#: JPEG or PNG: the file's bytes, its path, an open binary file, or an image like PIL's, which is sent as PNG.
Image = Union[bytes, bytearray, memoryview, FilePath, IO[bytes], Savable]


def image_bytes(image: Image) -> bytes:
    """The bytes of an image file. Raises `ValueError` for an empty one, `OSError` and `TypeError`."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image)
    elif isinstance(image, (str, os.PathLike)):
        data = Path(image).read_bytes()
    elif hasattr(image, "read"):
        data = image.read()
    elif hasattr(image, "save"):
        buffer = io.BytesIO()
        image.save(buffer, format="PNG")
        data = buffer.getvalue()
    else:
        raise TypeError(f"expected an image's bytes, path, file or PIL image, found a {type(image).__name__}")
    if not isinstance(data, bytes):
        raise TypeError("expected a file opened as binary, found one opened as text")
    if not data:
        raise ValueError("expected an image, found no bytes; a file that was read before is at its end")
    return data


@dataclass(frozen=True)
class Triple:
    """Up to one image a modality, of one object at one moment.

    `boxes` say by modality where it is in an image that shows more, `[x, y, width, height]` in pixels of the upright image.
    """

    rgb: Optional[Image] = None
    nir: Optional[Image] = None
    tir: Optional[Image] = None
    boxes: Optional[Mapping[str, Sequence[int]]] = None

    def images(self) -> Dict[str, bytes]:
        """The images' bytes by modality. Raises `ValueError` if there are none."""
        images = {n: image_bytes(i) for n, i in given(rgb=self.rgb, nir=self.nir, tir=self.tir).items()}
        if not images:
            raise ValueError("expected at least one image of rgb, nir and tir")
        return images


@dataclass(frozen=True)
class Vectors:
    """A vector a modality (`rgb`, or `nir+rgb` where modalities interact), as `Client.embed` gives them.

    `model` made them, by default the active one.
    """

    vectors: Mapping[str, Sequence[float]]
    model: Optional[str] = None


@dataclass(frozen=True)
class Vector:
    """One vector of several modalities, by default all that the model knows, compared with sightings of exactly these."""

    vector: Sequence[float]
    modalities: Optional[Sequence[str]] = None
    model: Optional[str] = None


@dataclass(frozen=True)
class Text:
    """Words, for models that read texts (DMF)."""

    text: str


#: What can be enrolled.
Subject = Union[Triple, Vectors, Vector, Embedding]
#: What names an enrolled sighting. One that was moved since, or whose identity was renamed, is to be asked for anew.
SightingLike = Union[Sighting, Match, Contender, SightingRef]
#: What a gallery can be queried with; a sighting is no answer to itself.
QuerySubject = Union[Subject, Text, SightingLike]


#: What the scores of an identity's sightings make: `best`, `per_camera` or `{"mean_of_best": 3}`.
Score = Union[str, Mapping[str, int]]


class Filter(TypedDict, total=False):
    """Which sightings may match; every condition given must hold. A sighting without a time fails those of time."""

    cameras: Sequence[str]
    exclude_cameras: Sequence[str]
    identities: Sequence[str]
    exclude_identities: Sequence[str]
    captured_after: Time
    captured_before: Time
    label_prefix: str
    labelled: bool
    metadata: Mapping[str, Condition]
    exclude_metadata: Mapping[str, Condition]


def query_options(
    limit: Optional[int], threshold: Optional[float], group_by: Optional[str], filter: Optional[Filter],
    rerank: Union[bool, int, None], by_modality: bool, combine: Optional[str], score: Optional[Score], by_exemplar: bool,
) -> Dict[str, Any]:
    """How something is looked for, as the server takes it."""
    is_number = isinstance(rerank, int) and not isinstance(rerank, bool)
    return given(
        limit=limit, threshold=threshold, group_by=group_by, filter=filter,
        rerank={"candidates": rerank} if is_number else rerank, by_modality=by_modality or None, combine=combine,
        score=score, by_exemplar=by_exemplar or None)


def fields(subject: Union[QuerySubject, Sequence[QuerySubject]]) -> Dict[str, Any]:
    """A subject, or several exemplars of one object, as members of a JSON object."""
    if isinstance(subject, (list, tuple)):
        return {"exemplars": [fields(s) for s in subject]}
    if isinstance(subject, Triple):
        images = {name: base64.b64encode(data).decode("ascii") for name, data in subject.images().items()}
        return given(images=images, boxes=subject.boxes)
    if isinstance(subject, (Vectors, Embedding)):
        return given(vectors=subject.vectors, model=subject.model)
    if isinstance(subject, Vector):
        return given(vector=subject.vector, modalities=subject.modalities, model=subject.model)
    if isinstance(subject, Text):
        return {"text": subject.text}
    if isinstance(subject, (Sighting, Match, Contender, SightingRef)):
        return {"sighting": subject.sighting}
    raise TypeError(f"expected a Triple, Vectors, Vector, Embedding, Text or sighting, found a {type(subject).__name__}")


def body_of(subject: QuerySubject, options: Mapping[str, Any]) -> Body:
    """A subject with options: a form if it has images, which takes less than base64."""
    if isinstance(subject, Triple):
        return _form({"": subject}, options)
    return Body.of("application/json", encode({**fields(subject), **options}))


def body_of_pair(a: Triple, b: Triple) -> Body:
    return _form({"a.": a, "b.": b}, {})


def body_of_exemplars(subject: Union[QuerySubject, Sequence[QuerySubject]], options: Mapping[str, Any]) -> Body:
    """One subject, or several exemplars of one object."""
    if isinstance(subject, (list, tuple)):
        return body_of_several("exemplars", subject, options)
    return body_of(cast(QuerySubject, subject), options)


def body_of_several(
    name: str, subjects: Sequence[Union[QuerySubject, Sequence[QuerySubject]]], options: Mapping[str, Any]
) -> Body:
    """Subjects with options for all of them, in JSON as the array `name`."""
    triples = {f"{n}.": s for n, s in enumerate(subjects) if isinstance(s, Triple)}
    if subjects and len(triples) == len(subjects):
        return _form(triples, options)
    return Body.of("application/json", encode({name: [fields(s) for s in subjects], **options}))


def _form(triples: Mapping[str, Triple], options: Mapping[str, Any]) -> Body:
    """multipart/form-data (RFC 7578), where the names of a triple's parts begin with its key."""
    boundary, disposition = uuid.uuid4().hex, "Content-Disposition: form-data"
    parts = []
    for name, data in ((group + name, data) for group, t in triples.items() for name, data in t.images().items()):
        parts += [f'--{boundary}\r\n{disposition}; name="{name}"; filename="{name}"\r\n\r\n'.encode(), data, b"\r\n"]
    boxes = {group + name: box for group, t in triples.items() for name, box in (t.boxes or {}).items()}
    if options or boxes:
        head = f'--{boundary}\r\n{disposition}; name="options"\r\nContent-Type: application/json\r\n\r\n'
        parts += [head.encode(), encode({**options, **given(boxes=boxes or None)}), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return Body.of(f"multipart/form-data; boundary={boundary}", b"".join(parts))
