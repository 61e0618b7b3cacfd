"""What is in a gallery: its identities and sightings, and what was corrected about them."""
from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Iterator, List, Optional, Sequence, Union
from urllib.parse import urlencode

from ._transport import Transport, given, path
from .answers import Correction, Distinction, Facets, Identity, Sighting, SimilarIdentities
from .subjects import Metadata, SightingLike, Subject, Time, body_of


class Unchanged(Enum):
    """Says of a member in an update that it stays; None would remove it."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def changed(**members: Any) -> Dict[str, Any]:
    """Those that do not stay."""
    return {name: value for name, value in members.items() if value is not UNCHANGED}


def _truth(value: Optional[bool]) -> Optional[str]:
    return None if value is None else "true" if value else "false"


@dataclass(frozen=True)
class _Distinctions:
    items: List[Distinction]


@dataclass(frozen=True)
class _Corrected:
    correction: Correction


class Members:
    """A gallery's identities and sightings."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        #: The gallery's name.
        self.name = name

    def _path(self, *names: str) -> str:
        return path("galleries", self.name, *names)

    def _sighting(self, sighting: SightingLike, *names: str) -> str:
        return self._path("identities", sighting.identity, "sightings", sighting.sighting, *names)

    # Identities

    def identities(
        self, *, label: Optional[str] = None, label_prefix: Optional[str] = None, labelled: Optional[bool] = None,
        sort: Optional[str] = None, order: Optional[str] = None, page_size: int = 200,
    ) -> Iterator[Identity]:
        """All identities, or those of a label, asked for a page at a time.

        `sort`: `created` by default, `name`, `label` or `last_seen` (the last first), without those that have no such
        value. `order`: `asc` or `desc`. What changes its place meanwhile may come twice or not at all.
        """
        return self._transport.pages(
            Identity, self._path("identities"), page_size, label=label, label_prefix=label_prefix,
            labelled=_truth(labelled), sort=sort, order=order)

    def identity(self, identity: str) -> Identity:
        """An identity. Raises `NotFound`."""
        return self._transport.ask(Identity, "GET", self._path("identities", identity))

    def create_identity(
        self, identity: str, *, label: Optional[str] = None, metadata: Optional[Metadata] = None,
        watchlist: Optional[bool] = None,
    ) -> Identity:
        """Makes an identity without sightings; enrolling makes one too. Raises `Conflict` if there is one."""
        document = given(id=identity, label=label, metadata=metadata, watchlist=watchlist)
        return self._transport.ask(Identity, "POST", self._path("identities"), document)

    def update_identity(
        self, identity: str, *, label: Union[str, None, Unchanged] = UNCHANGED,
        metadata: Union[Metadata, Unchanged] = UNCHANGED, watchlist: Union[bool, Unchanged] = UNCHANGED,
    ) -> Identity:
        """Changes its label (None removes it), its metadata, which are replaced whole, or if it is on the watchlist."""
        document = changed(label=label, metadata=metadata, watchlist=watchlist)
        return self._transport.ask(Identity, "PATCH", self._path("identities", identity), document)

    def erase_identity(self, identity: str) -> None:
        """Erases an identity with its sightings, images and vectors."""
        self._transport.erase(self._path("identities", identity))

    def similar(self, identity: str, *, limit: int = 10) -> SimilarIdentities:
        """Other identities that may be the same, the most similar first."""
        target = self._path("identities", identity, "similar")
        return self._transport.ask(SimilarIdentities, "GET", target, query={"limit": limit})

    # Sightings

    def enrol(
        self, identity: str, subject: Subject, *, camera: Optional[str] = None, captured_at: Optional[Time] = None,
        metadata: Optional[Metadata] = None, label: Optional[str] = None, idempotency_key: Optional[str] = None,
    ) -> Sighting:
        """Enrols a triple, or vectors, as a sighting of an identity, which is made with `label` if it is new.

        It returns after the commit. Sent again, by this client after a failure or by you with the same
        `idempotency_key`, it enrols once; without a key of yours each call has one of its own.
        """
        options = given(camera=camera, captured_at=captured_at, metadata=metadata, label=label)
        return self._transport.ask(
            Sighting, "POST", self._path("identities", identity, "sightings"), body=body_of(subject, options),
            key=idempotency_key or uuid.uuid4().hex)

    def sightings(
        self, *, identity: Optional[str] = None, camera: Optional[str] = None, captured_after: Optional[Time] = None,
        captured_before: Optional[Time] = None, label: Optional[str] = None, label_prefix: Optional[str] = None,
        labelled: Optional[bool] = None, sort: Optional[str] = None, order: Optional[str] = None, page_size: int = 200,
    ) -> Iterator[Sighting]:
        """The gallery's sightings by camera, time and their identities' labels, or those of an identity.

        `sort`: `created` (enrolled) by default, or `captured`, without those of which nobody knows when. `order`: `asc`
        or `desc`.
        """
        asked = given(
            camera=camera, captured_after=captured_after, captured_before=captured_before, label=label,
            label_prefix=label_prefix, labelled=_truth(labelled), sort=sort, order=order)
        if identity is None:
            return self._transport.pages(Sighting, self._path("sightings"), page_size, **asked)
        if asked:
            raise ValueError(f"expected an identity or {', '.join(asked)}; found both")
        return self._transport.pages(Sighting, self._path("identities", identity, "sightings"), page_size)

    def facets(
        self, *, bucket: Optional[str] = None, camera: Optional[str] = None, captured_after: Optional[Time] = None,
        captured_before: Optional[Time] = None, label: Optional[str] = None, label_prefix: Optional[str] = None,
        labelled: Optional[bool] = None,
    ) -> Facets:
        """How many sightings there are, by camera, time (`bucket`: hour, day, week or month), modalities and labels.

        Counted anew each time. Raises `Overloaded` if that takes more than ten seconds.
        """
        return self._transport.ask(Facets, "GET", self._path("facets"), query=given(
            bucket=bucket, camera=camera, captured_after=captured_after, captured_before=captured_before, label=label,
            label_prefix=label_prefix, labelled=_truth(labelled)))

    def sighting(self, sighting: SightingLike) -> Sighting:
        """A sighting as it is now. Raises `NotFound`, also if it has moved to another identity."""
        return self._transport.ask(Sighting, "GET", self._sighting(sighting))

    def update_sighting(
        self, sighting: SightingLike, *, camera: Union[str, None, Unchanged] = UNCHANGED,
        captured_at: Union[Time, None, Unchanged] = UNCHANGED, metadata: Union[Metadata, Unchanged] = UNCHANGED,
    ) -> Sighting:
        """Changes where and when it was seen (None removes it) or its metadata, which are replaced whole."""
        document = changed(camera=camera, captured_at=captured_at, metadata=metadata)
        return self._transport.ask(Sighting, "PATCH", self._sighting(sighting), document)

    def erase_sighting(self, sighting: SightingLike) -> None:
        """Erases a sighting with its images and vectors; its identity stays."""
        self._transport.erase(self._sighting(sighting))

    def image(
        self, sighting: SightingLike, modality: str, *, width: Optional[int] = None, crop: bool = False,
    ) -> bytes:
        """A kept image's file, JPEG or PNG, as it was enrolled; or a JPEG of it of a width, or of its box alone.

        Raises `NotFound`.
        """
        asked = given(width=width, crop="true" if crop else None)
        where = self._sighting(sighting, "images", modality)
        return self._transport.send("GET", where + ("?" + urlencode(asked) if asked else ""))

    # Corrections

    def move(self, sighting: SightingLike, identity: str) -> Correction:
        """Gives a sighting to another identity, which is made if it is new."""
        return self._corrected(self._sighting(sighting, "move"), identity=identity)

    def rename(self, identity: str, new: str) -> Correction:
        """Gives an identity another name. Raises `Conflict` if there is one of that name."""
        return self._corrected(self._path("identities", identity, "rename"), identity=new)

    def merge(self, identity: str, others: Sequence[str]) -> Correction:
        """Makes other identities part of this one."""
        return self._corrected(self._path("identities", identity, "merge"), identities=list(others))

    def distinguish(self, identity: str, others: Sequence[str]) -> Correction:
        """Says that an identity is not the same as others: they are not told as similar any more, and never grouped."""
        return self._corrected(self._path("identities", identity, "distinguish"), identities=list(others))

    def distinctions(self, identity: str) -> List[Distinction]:
        """Whom an identity was told apart from, the last one first."""
        target = self._path("identities", identity, "distinctions")
        return self._transport.ask(_Distinctions, "GET", target).items

    def split(self, identity: str, sightings: Sequence[Union[SightingLike, str]], new: str) -> Correction:
        """Makes some of an identity's sightings, or their identifiers, a new one."""
        chosen = [s if isinstance(s, str) else s.sighting for s in sightings]
        return self._corrected(self._path("identities", identity, "split"), sightings=chosen, identity=new)

    def corrections(self, *, last_first: bool = False, page_size: int = 200) -> Iterator[Correction]:
        """The last 10 000 corrections."""
        order = "desc" if last_first else None
        return self._transport.pages(Correction, self._path("corrections"), page_size, order=order)

    def undo(self, correction: Union[Correction, str]) -> Correction:
        """Takes a correction back. Raises `Conflict` if later ones must be undone before."""
        name = correction if isinstance(correction, str) else correction.id
        return self._transport.ask(Correction, "POST", self._path("corrections", name, "undo"))

    def _corrected(self, target: str, **document: Any) -> Correction:
        return self._transport.ask(_Corrected, "POST", target, document).correction
