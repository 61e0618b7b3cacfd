"""The client: one server's galleries, models, jobs, events and keys."""
from __future__ import annotations

import os
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Sequence, Union

from ._decoding import decode, parse
from ._transport import Transport, given, path
from .answers import (
    Access, AuditRecord, Comparison, Embedding, Event, GalleryInfo, Job, Key, Missed, Model, NewKey, QueryResult, RateLimit, Readiness,
    Servers, Upload, Webhook,
)
from .errors import Conflict, ConnectionFailed, JobFailed, Overloaded, TimedOut, UnexpectedAnswer
from .events import Following, messages
from .gallery import Gallery
from .subjects import (
    FilePath, Filter, Metadata, QuerySubject, Score, Time, Triple, body_of, body_of_exemplars, body_of_pair, query_options,
)
from .transfer import Progress, body_of_file, body_of_rest

#: A server verifies a model for up to so long before it answers, as it is configured by default.
_MODEL_SECONDS = 900.0
#: Tries that bring an upload no further, one after the other.
_UPLOAD_TRIES = 8
#: Between the end of a stream of events and the next.
_AGAIN_SECONDS = 0.25


@dataclass(frozen=True)
class _Keys:
    items: List[Key]


@dataclass(frozen=True)
class _Uploads:
    items: List[Upload]


@dataclass(frozen=True)
class _Webhooks:
    items: List[Webhook]


class Client:
    """A Triptych server. Any number of threads may use one client; it keeps connections and is cheap to keep.

        client = Client("http://127.0.0.1:8080", key_file="triptych.key")
        match = client.gallery("parking").query(Triple(rgb="rgb.jpg", tir="tir.png")).matches[0]

    `url` is by default the environment's TRIPTYCH_URL, or else http://127.0.0.1:8080. The key comes from `key`, from the
    file `key_file`, or from TRIPTYCH_KEY; it is sent to `url`'s host alone, and no message shows it. `timeout` is for how
    many seconds the server may say nothing. What failed because of the connection or because the server had too much to
    do (429, 503) is sent again up to `retries` times, later each time, if it cannot be carried out twice. For https the
    certificates in the PEM file `ca_file` are trusted, and no others; by default the system's. `ssl_context` is for more,
    such as a certificate of the client's own. With `consistent`, whichever of several servers of one gallery answers has seen what
    this client was answered before, its own enrolments among it; a server that is not that far soon raises `Overloaded`.
    """

    def __init__(
        self, url: Optional[str] = None, *, key: Optional[str] = None, key_file: Optional[FilePath] = None,
        timeout: float = 130, retries: int = 4, ca_file: Optional[FilePath] = None,
        ssl_context: Optional[ssl.SSLContext] = None, consistent: bool = False,
    ) -> None:
        if key is not None and key_file is not None:
            raise ValueError("expected a key or a key_file, found both")
        if key_file is not None:
            key = Path(key_file).read_text().strip()
        #: Where the server is.
        self.url = url or os.environ.get("TRIPTYCH_URL") or "http://127.0.0.1:8080"
        if ca_file is not None:
            if ssl_context is not None or not self.url.lower().startswith("https://"):
                raise ValueError("ca_file: expected an https URL and no ssl_context")
            ssl_context = ssl.create_default_context(cafile=ca_file)
        key = key if key is not None else os.environ.get("TRIPTYCH_KEY") or None
        self._transport = Transport(self.url, key, timeout, retries, ssl_context, consistent)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are kept. The client can still be used: it makes new ones."""
        self._transport.pool.close()

    @property
    def rate_limit(self) -> Optional[RateLimit]:
        """What the server has said last of how much the key may send; None if nothing bounds it."""
        return self._transport.rate_limit

    # The service

    def health(self) -> None:
        """Returns if the process answers."""
        self._transport.send("GET", "/healthz")

    def ready(self) -> Readiness:
        """The active model and the number of sightings; `status` alone without the key that the server wants.

        Raises `Overloaded` while there is no model, after retries.
        """
        return self._transport.ask(Readiness, "GET", "/readyz")

    def servers(self) -> Servers:
        """The servers that share the database, and how far the index is of the one that answers."""
        return self._transport.ask(Servers, "GET", path("servers"))

    def metrics(self) -> str:
        """Counters, gauges and histograms in Prometheus's text format."""
        return self._transport.send("GET", "/metrics").decode()

    def contract(self) -> str:
        """The OpenAPI document that the server was built with, in YAML."""
        return self._transport.send("GET", "/openapi.yaml").decode()

    # Vectors

    def embed(self, triple: Triple) -> Embedding:
        """The vectors of a triple; nothing is kept."""
        return self._transport.ask(Embedding, "POST", path("embeddings"), body=body_of(triple, {}), safe=True)

    def compare(self, a: Triple, b: Triple) -> Comparison:
        """The cosine of two triples, by the modalities that both have."""
        return self._transport.ask(Comparison, "POST", path("comparisons"), body=body_of_pair(a, b), safe=True)

    # Galleries

    def gallery(self, name: str) -> Gallery:
        """A gallery to work with. Nothing is sent, so it need not be there yet."""
        return Gallery(self._transport, name)

    def galleries(self, *, page_size: int = 200) -> Iterator[GalleryInfo]:
        """All galleries, in order of creation."""
        return self._transport.pages(GalleryInfo, path("galleries"), page_size)

    def create_gallery(
        self, name: str, *, label: Optional[str] = None, metadata: Optional[Metadata] = None,
        retention_days: Optional[int] = None, exist_ok: bool = False,
    ) -> Gallery:
        """Makes an empty gallery. Raises `Conflict` if there is one, unless that is `exist_ok`: then it stays as it is."""
        document = given(name=name, label=label, metadata=metadata, retention_days=retention_days)
        try:
            self._transport.ask(GalleryInfo, "POST", path("galleries"), document, safe=exist_ok)
        except Conflict as conflict:
            if not (exist_ok and conflict.code == "gallery-exists"):
                raise
        return self.gallery(name)

    def query(
        self, galleries: Sequence[str], subject: Union[QuerySubject, Sequence[QuerySubject]], *,
        limit: Optional[int] = None, threshold: Optional[float] = None, group_by: Optional[str] = None,
        filter: Optional[Filter] = None, rerank: Union[bool, int, None] = None, by_modality: bool = False,
        combine: Optional[str] = None, score: Optional[Score] = None, by_exemplar: bool = False,
    ) -> QueryResult:
        """Ranks up to 16 galleries together, as `Gallery.query` does one; each match says its `gallery`.

        Raises `Forbidden` if the key is not for one of them, `NotFound` if one is not there.
        """
        options = query_options(
            limit, threshold, group_by, filter, rerank, by_modality, combine, score, by_exemplar)
        body = body_of_exemplars(subject, {"galleries": list(galleries), **options})
        return self._transport.ask(QueryResult, "POST", path("queries"), body=body, safe=True)

    # Models

    def models(self, *, page_size: int = 200) -> Iterator[Model]:
        """The models that may answer, verified, in order of their digests."""
        return self._transport.pages(Model, path("models"), page_size)

    def model(self, model: str) -> Model:
        """A model by its digest. Raises `NotFound`."""
        return self._transport.ask(Model, "GET", path("models", model))

    def upload_model(self, checkpoint: FilePath, *, progress: Optional[Progress] = None) -> Model:
        """Hands over a checkpoint, which is read as it is sent, and returns once the server has verified it.

        `progress` is told how many bytes are sent, of how many. Raises `Refused` if it is no model that can be used.
        """
        body = body_of_file(Path(checkpoint), "application/octet-stream", progress)
        # Sent again after all had come, it is here already.
        return self._transport.ask(Model, "POST", path("models"), body=body, safe=True, timeout=_MODEL_SECONDS)

    def uploads(self) -> List[Upload]:
        """Uploads that are not whole yet."""
        return self._transport.ask(_Uploads, "GET", path("models", "uploads")).items

    def begin_upload(self, size: int, *, model: Optional[str] = None) -> Upload:
        """Begins to hand over a checkpoint of so many bytes in pieces; `model` is its digest, where that is known."""
        return self._transport.ask(Upload, "POST", path("models", "uploads"), given(bytes=size, model=model))

    def upload(self, upload: Union[Upload, str]) -> Upload:
        """An upload as it is now. Raises `NotFound`."""
        return self._transport.ask(Upload, "GET", path("models", "uploads", _id(upload)))

    def resume_upload(
        self, upload: Union[Upload, str], checkpoint: FilePath, *, progress: Optional[Progress] = None
    ) -> Model:
        """Sends what an upload lacks of its checkpoint, and goes on where a connection breaks off as long as anything comes across.

        Any process may go on with what another began, within a day. Otherwise as `upload_model`.
        """
        file, reached, failures = Path(checkpoint), -1, 0
        while True:
            now = self.upload(upload)
            if now.bytes != file.stat().st_size:
                raise ValueError(f"{file}: expected {now.bytes} bytes, found {file.stat().st_size}")
            failures = 0 if now.offset > reached else failures + 1
            reached = now.offset
            try:
                return self._transport.ask(
                    Model, "PATCH", path("models", "uploads", now.id), body=body_of_rest(file, now.offset, progress),
                    safe=False, timeout=_MODEL_SECONDS)
            except (ConnectionFailed, Overloaded, Conflict) as error:
                if failures >= _UPLOAD_TRIES or (isinstance(error, Conflict) and not error.code.startswith("upload-")):
                    raise
                time.sleep(min(30.0, 0.5 * 2**failures))

    def abandon_upload(self, upload: Union[Upload, str]) -> None:
        """Forgets an upload that is not whole."""
        self._transport.erase(path("models", "uploads", _id(upload)))

    def erase_model(self, model: str) -> None:
        """Erases a model and all its embeddings. Raises `Conflict` if it is active."""
        self._transport.erase(path("models", model))

    def activate(self, model: str, *, dry_run: bool = False, allow_fewer_modalities: bool = False) -> Job:
        """Starts a job that makes a model the active one once it has embedded everything, or compares it with `dry_run`."""
        return self._transport.ask(
            Job, "POST", path("models", model, "activation"),
            query={"dry_run": dry_run, "allow_fewer_modalities": allow_fewer_modalities})

    # Jobs

    def jobs(self, *, last_first: bool = False, page_size: int = 200) -> Iterator[Job]:
        """All jobs, also those of earlier runs of the server."""
        return self._transport.pages(Job, path("jobs"), page_size, order="desc" if last_first else None)

    def job(self, job: Union[Job, str]) -> Job:
        """A job as it is now. Raises `NotFound`."""
        return self._transport.ask(Job, "GET", path("jobs", _id(job)))

    def cancel(self, job: Union[Job, str]) -> None:
        """Ends a job early, or forgets one that has ended."""
        self._transport.send("DELETE", path("jobs", _id(job)), safe=False)  # Twice would end it and forget it.

    def follow(self, job: Union[Job, str], *, timeout: Optional[float] = None) -> Iterator[Job]:
        """The job at each change, at least every ten seconds, until it has ended; over broken connections too.

        Raises `TimedOut` if it has not ended after `timeout` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            latest: Optional[Job] = None
            try:
                for latest in self._events(_id(job), end):
                    yield latest
                    if latest.ended:
                        return
            except ConnectionFailed:
                if latest is None:
                    raise
            if latest is None:
                raise UnexpectedAnswer("expected events of a job, found none")
            # The server has ended, or what is between: the next stream begins with what the job is by then.
            time.sleep(_AGAIN_SECONDS)

    def wait(
        self, job: Union[Job, str], *, progress: Optional[Callable[[Job], Any]] = None, timeout: Optional[float] = None
    ) -> Job:
        """Returns a job once it has succeeded. `progress` is told of each change.

        Raises `JobFailed` if it has failed or was cancelled, and `TimedOut` after `timeout` seconds, when it still runs.
        """
        for latest in self.follow(job, timeout=timeout):
            if progress:
                progress(latest)
        if latest.state != "succeeded":
            raise JobFailed(latest)
        return latest

    def _events(self, job: str, end: Optional[float]) -> Iterator[Job]:
        """What one stream tells of a job."""
        def left() -> float:
            seconds = self._transport.pool.timeout if end is None else end - time.monotonic()
            if seconds <= 0:
                raise TimedOut(f"the job {job} has not ended in time")
            return min(seconds, self._transport.pool.timeout)

        target = path("jobs", job, "events")
        with self._transport.open(target, accept="text/event-stream", timeout=left()) as stream:
            for message in messages(stream.parts()):
                if message.data:
                    yield decode(Job, parse(message.data))
                stream.wait_at_most(left())

    # What happens

    def events(
        self, *, gallery: Union[str, Sequence[str], None] = None, camera: Union[str, Sequence[str], None] = None,
        identity: Union[str, Sequence[str], None] = None, kind: Union[str, Sequence[str], None] = None,
        after: Optional[int] = None,
    ) -> Iterator[Union[Event, Missed]]:
        """What happens from now on, or what happened after the event with the id `after` (0: all that are kept).

        It waits for the next one without an end, and comes again by itself, from where it was, when the connection
        breaks or the server restarts. Keep the `id` of what you are done with: the next process goes on `after` it. A
        `Missed` stands for what the server cannot tell any more. Each filter admits one value or any of several.

        Raises `Forbidden` and what else is refused, `Unauthorized` also once the key is revoked, and `ConnectionFailed`
        if there is no server to begin with.
        """
        filters = given(gallery=gallery, camera=camera, identity=identity, kind=kind)
        if not all(filters.values()):
            raise ValueError("expected at least one value of each filter that is given; found none, which admits nothing")
        return Following(self._transport, filters, after).events()

    # Who may do what, and has done it

    def access(self) -> Access:
        """Who this client is to the server, and what it may do."""
        return self._transport.ask(Access, "GET", path("access"))

    def keys(self) -> List[Key]:
        """All keys that were made, in order, without their secrets."""
        return self._transport.ask(_Keys, "GET", path("keys")).items

    def key(self, key: Union[Key, str]) -> Key:
        """A key by its identifier. Raises `NotFound`."""
        return self._transport.ask(Key, "GET", path("keys", _id(key)))

    def create_key(
        self, name: str, role: str, *, galleries: Optional[Sequence[str]] = None,
        requests_per_minute: Optional[int] = None, expires_at: Optional[Time] = None,
    ) -> NewKey:
        """Makes a key for a `role` of `read`, `enrol` and `admin`, by default for all galleries and without an end.

        The first one must be an admin's, and from then on this client needs one too.
        """
        document = given(
            name=name, role=role, galleries=galleries, requests_per_minute=requests_per_minute, expires_at=expires_at)
        return self._transport.ask(NewKey, "POST", path("keys"), document)

    def revoke_key(self, key: Union[Key, str]) -> Key:
        """Makes a key useless, at once and for ever."""
        return self._transport.ask(Key, "DELETE", path("keys", _id(key)))

    # Webhooks

    def webhooks(self) -> List[Webhook]:
        """Who is called with what happens."""
        return self._transport.ask(_Webhooks, "GET", path("webhooks")).items

    def webhook(self, webhook: Union[Webhook, str]) -> Webhook:
        """A webhook, how far it is, and what fails. Raises `NotFound`."""
        return self._transport.ask(Webhook, "GET", path("webhooks", _id(webhook)))

    def create_webhook(
        self, url: str, *, galleries: Optional[Sequence[str]] = None, cameras: Optional[Sequence[str]] = None,
        identities: Optional[Sequence[str]] = None, kinds: Optional[Sequence[str]] = None, after: Optional[int] = None,
    ) -> Webhook:
        """Has an https URL called with the events that are wanted, from the next on or those `after` one.

        Raises `Conflict` if the server has no secret to sign calls with.
        """
        wanted = given(galleries=galleries, cameras=cameras, identities=identities, kinds=kinds)
        return self._transport.ask(
            Webhook, "POST", path("webhooks"), given(url=url, filter=wanted or None, after=after))

    def revive_webhook(self, webhook: Union[Webhook, str]) -> Webhook:
        """Calls it again now, from where it was."""
        return self._transport.ask(Webhook, "POST", path("webhooks", _id(webhook), "revive"))

    def delete_webhook(self, webhook: Union[Webhook, str]) -> None:
        """Has it called no more."""
        self._transport.send("DELETE", path("webhooks", _id(webhook)))

    def audit(
        self, *, by: Union[Key, str, None] = None, action: Optional[str] = None, gallery: Optional[str] = None,
        last_first: bool = False, page_size: int = 200,
    ) -> Iterator[AuditRecord]:
        """Who has changed, erased and read what, in order; by a key, of an action, in a gallery."""
        return self._transport.pages(
            AuditRecord, path("audit"), page_size, by=None if by is None else _id(by), action=action, gallery=gallery,
            order="desc" if last_first else None)


def _id(named: Union[Job, Key, Upload, Webhook, str]) -> str:
    return named if isinstance(named, str) else named.id
