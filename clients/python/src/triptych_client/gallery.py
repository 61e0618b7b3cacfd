"""A named set of identities: recognising, querying, thresholds, and bulk."""
from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

from ._connection import Body
from ._decoding import decode, lines_of, parse
from ._transport import given
from .analyses import Evaluation, GalleryMap, MapPoint
from .answers import (
    BatchResult, GalleryInfo, GallerySummary, Identification, Job, QueryResult, Threshold, Timing,
)
from .errors import problem
from .members import UNCHANGED, Members, Unchanged, changed
from .subjects import (
    FilePath, Filter, Metadata, QuerySubject, Score, Subject, Time, body_of, body_of_exemplars, body_of_several, query_options,
)
from .transfer import ARCHIVE, LINES, ImportLine, Progress, body_of_lines, body_of_transfer

#: The server puts an import onto its disk before it answers.
_IMPORT_SECONDS = 600.0


@dataclass(frozen=True)
class _Erased:
    erased: int


@dataclass(frozen=True)
class _Thresholds:
    items: List[Threshold]


@dataclass(frozen=True)
class _Results:
    results: List[Dict[str, Any]]
    timing: Timing


@dataclass(frozen=True)
class _MapPage(GalleryMap):
    next: Optional[str] = None


class Gallery(Members):
    """A gallery of a server's, which `Client.gallery` names; asking for it sends nothing."""

    def __repr__(self) -> str:
        return f"Gallery({self.name!r})"

    def summary(self) -> GallerySummary:
        """The gallery and how much is in it. Raises `NotFound`."""
        return self._transport.ask(GallerySummary, "GET", self._path())

    def update(
        self, *, label: Union[str, None, Unchanged] = UNCHANGED, metadata: Union[Metadata, Unchanged] = UNCHANGED,
        retention_days: Union[int, None, Unchanged] = UNCHANGED,
    ) -> GalleryInfo:
        """Changes its label or retention (None removes it) or its metadata, which are replaced whole."""
        document = changed(label=label, metadata=metadata, retention_days=retention_days)
        return self._transport.ask(GalleryInfo, "PATCH", self._path(), document)

    def erase(self) -> None:
        """Erases the gallery with everything in it."""
        self._transport.erase(self._path())

    def erase_sightings(self, filter: Filter) -> int:
        """Erases the sightings that a filter admits, and returns how many there were; identities stay."""
        return self._transport.ask(_Erased, "POST", self._path("erasures"), {"filter": filter}).erased

    # Who is it?

    def query(
        self, subject: Union[QuerySubject, Sequence[QuerySubject]], *, limit: Optional[int] = None,
        threshold: Optional[float] = None, group_by: Optional[str] = None, filter: Optional[Filter] = None,
        rerank: Union[bool, int, None] = None, by_modality: bool = False, combine: Optional[str] = None,
        score: Optional[Score] = None, by_exemplar: bool = False,
    ) -> QueryResult:
        """Ranks the gallery by similarity to a triple, vectors, a text or an enrolled sighting, or to 16 of one object.

        `limit`: matches, 10 by default. `threshold`: the least score of a match. `group_by`: `identity` (the best
        sighting of each) or `sighting`. `rerank`: ranks the nearest anew by what they have in common; so many of them.
        `by_modality`, `by_exemplar`: matches, 100 at most, tell what each modality alone, or each exemplar, scores.
        `combine`: what scores with several exemplars make, `mean` or `best`. `score`: what those of an identity's
        sightings make: `best`, `{"mean_of_best": 3}` or `per_camera`.
        """
        options = query_options(
            limit, threshold, group_by, filter, rerank, by_modality, combine, score, by_exemplar)
        return self._transport.ask(
            QueryResult, "POST", self._path("queries"), body=body_of_exemplars(subject, options), safe=True)

    def query_batch(
        self, subjects: Sequence[Union[QuerySubject, Sequence[QuerySubject]]], *, limit: Optional[int] = None,
        threshold: Optional[float] = None, group_by: Optional[str] = None, filter: Optional[Filter] = None,
        rerank: Union[bool, int, None] = None, by_modality: bool = False, combine: Optional[str] = None,
        score: Optional[Score] = None, by_exemplar: bool = False,
    ) -> BatchResult:
        """Up to 64 queries at once, which takes less than one after the other. What is wrong with one is in its place."""
        options = query_options(
            limit, threshold, group_by, filter, rerank, by_modality, combine, score, by_exemplar)
        body = body_of_several("queries", subjects, options)
        found = self._transport.ask(_Results, "POST", self._path("queries", "batch"), body=body, safe=True)
        return BatchResult(
            [problem(r["problem"]) if "problem" in r else decode(QueryResult, r) for r in found.results], found.timing)

    def identify(
        self, subject: Union[Subject, Sequence[Subject]], *, camera: Optional[str] = None,
        captured_at: Optional[Time] = None, metadata: Optional[Metadata] = None, filter: Optional[Filter] = None,
        threshold: Optional[float] = None, margin: Optional[float] = None, limit: Optional[int] = None,
        dry_run: bool = False, idempotency_key: Optional[str] = None,
    ) -> Identification:
        """Says whose a passage before a camera is, and enrols it, in one step; under a new identity if it is nobody's.

        A passage is up to 16 triples of one object. `threshold` stands in for the gallery's, without which it is a
        `Conflict`. `margin`: how far the first must be ahead. `limit`: contenders told. `dry_run`: enrols nothing.
        Sent again with the same `idempotency_key` it decides nothing anew; without one each call has its own.
        """
        options = given(
            camera=camera, captured_at=captured_at, metadata=metadata, filter=filter, threshold=threshold,
            margin=margin, limit=limit, dry_run=dry_run or None)
        if isinstance(subject, Sequence):
            body = body_of_several("triples", subject, options)
        else:
            body = body_of(subject, options)
        key = idempotency_key or (None if dry_run else uuid.uuid4().hex)
        return self._transport.ask(Identification, "POST", self._path("sightings"), body=body, key=key, safe=True)

    # Thresholds

    def thresholds(self) -> List[Threshold]:
        """From which score on a sighting is of a known identity, by model and modalities."""
        return self._transport.ask(_Thresholds, "GET", self._path("thresholds")).items

    def set_thresholds(self, thresholds: Mapping[str, float], *, model: Optional[str] = None) -> List[Threshold]:
        """Puts thresholds in place of a model's, by default the active one: `{"rgb+nir+tir": 0.62, "tir": 0.71}`."""
        items = [{"modalities": name.split("+"), "threshold": value} for name, value in thresholds.items()]
        document = given(thresholds=items, model=model)
        return self._transport.ask(_Thresholds, "PUT", self._path("thresholds"), document).items

    def calibrate(self, false_match_rate: float, *, samples: Optional[int] = None, apply: bool = False) -> Job:
        """Starts a job that proposes thresholds by what is enrolled, and puts them in place with `apply`.

        `false_match_rate` is the share of newcomers that may be taken for somebody. `Client.wait` for the job.
        """
        document = given(false_match_rate=false_match_rate, samples=samples, apply=apply or None)
        return self._transport.ask(Job, "POST", self._path("calibrations"), document)

    def group(self, threshold: float) -> Job:
        """Starts a job that looks for identities without a label that are one. Its result has `groups` to `merge`."""
        return self._transport.ask(Job, "POST", self._path("groupings"), {"threshold": threshold})

    # How good is it?

    def evaluate(self, *, samples: Optional[int] = None, seed: Optional[int] = None) -> Job:
        """Starts a job that measures how well sightings, 2000 by default, find the others of their identity."""
        return self._transport.ask(Job, "POST", self._path("evaluations"), given(samples=samples, seed=seed))

    def evaluation(self, *, model: Optional[str] = None) -> Evaluation:
        """The latest evaluation, of a model or of any. Raises `NotFound`."""
        return self._transport.ask(
            Evaluation, "GET", self._path("evaluations", "latest"), query=given(model=model))

    def make_map(
        self, *, samples: Optional[int] = None, perplexity: Optional[float] = None, seed: Optional[int] = None
    ) -> Job:
        """Starts a job that makes a map of sightings, 2000 by default. `perplexity`: how many neighbours one has."""
        document = given(samples=samples, perplexity=perplexity, seed=seed)
        return self._transport.ask(Job, "POST", self._path("maps"), document)

    def map(self, *, model: Optional[str] = None, page_size: int = 1000) -> GalleryMap:
        """The latest map with all its points, of a model or of any. Raises `NotFound`."""
        points: List[MapPoint] = []
        first: Optional[_MapPage] = None
        cursor: Optional[str] = None
        while True:
            query = given(model=model, limit=page_size, cursor=cursor)
            page = self._transport.ask(_MapPage, "GET", self._path("maps", "latest"), query=query)
            if first is not None and page.id != first.id:  # Another map has taken its place.
                points, first, cursor = [], None, None
                continue
            first = first or page
            points += page.items
            if page.next is None:
                return GalleryMap(**{**{f.name: getattr(first, f.name) for f in fields(GalleryMap)}, "items": points})
            cursor = page.next

    # In and out in bulk

    def import_lines(
        self, lines: Iterable[Union[ImportLine, Mapping[str, Any], bytes]], *, progress: Optional[Progress] = None
    ) -> Job:
        """Starts a job that enrols sightings, sent one by one as `lines` gives them.

        Bytes go as they are: `import_lines(other.export())` copies a gallery, also between servers. What is wrong with
        a line is in the job's result. Lines sent again enrol nothing twice.
        """
        return self._import(body_of_lines(lines, progress))

    def import_file(
        self, source: Union[FilePath, IO[bytes]], *, archive: Optional[bool] = None, progress: Optional[Progress] = None
    ) -> Job:
        """Starts a job that enrols what a file or a folder has: lines, or a tar archive of lines and images.

        Of a folder an archive is made as it is sent: lines in its files `….ndjson`, whose `files` name images in it. Else
        `archive` says which it is, by default the name: `.tar`, or `.ndjson` and `.jsonl`.
        """
        kind = None if archive is None else ARCHIVE if archive else LINES
        return self._import(body_of_transfer(source, kind, progress))

    def _import(self, body: Body) -> Job:
        return self._transport.ask(Job, "POST", self._path("imports"), body=body, timeout=_IMPORT_SECONDS)

    def export(self, *, archive: bool = False) -> Iterator[bytes]:
        """The whole gallery as it comes, as lines of JSON or as a tar archive. It can be imported.

        Raises `ConnectionFailed` if it ends too early.
        """
        with self._transport.open(self._path("export"), accept=ARCHIVE if archive else LINES) as exchange:
            yield from exchange.parts()

    def export_lines(self) -> Iterator[Dict[str, Any]]:
        """The gallery's identities and sightings, each as an import takes it."""
        return (parse(line) for line in lines_of(self.export()) if line)

    def export_file(self, target: FilePath, *, archive: Optional[bool] = None) -> None:
        """Writes the gallery to a file, an archive if the name ends in `.tar`. It has its name once it is whole."""
        path = Path(target)
        part = path.with_name(path.name + ".part")
        is_archive = archive if archive is not None else path.suffix == ".tar"
        try:
            with part.open("wb") as file:
                file.writelines(self.export(archive=is_archive))
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
