"""The client: one server's galleries, models and jobs."""
from __future__ import annotations

import os
import ssl
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Union

from ._decoding import decode, lines_of, parse
from ._transport import Transport, given, path
from .answers import Comparison, Embedding, GalleryInfo, Job, Model, Readiness
from .errors import Conflict, ConnectionFailed, JobFailed, TimedOut, UnexpectedAnswer
from .gallery import Gallery
from .subjects import FilePath, Metadata, Triple, body_of, body_of_pair
from .transfer import Progress, body_of_file

#: A server verifies a model for up to so long before it answers, as it is configured by default.
_MODEL_SECONDS = 900.0
#: Between the end of a stream of events and the next.
_AGAIN_SECONDS = 0.25


class Client:
    """A Triptych server. Any number of threads may use one client; it keeps connections and is cheap to keep.

        client = Client("http://127.0.0.1:8080", key_file="triptych.key")
        match = client.gallery("parking").query(Triple(rgb="rgb.jpg", tir="tir.png")).matches[0]

    `url` is by default the environment's TRIPTYCH_URL, or else http://127.0.0.1:8080. The key comes from `key`, from the
    file `key_file`, or from TRIPTYCH_KEY; it is sent to `url`'s host alone, and no message shows it. `timeout` is for how
    many seconds the server may say nothing. What failed because of the connection or because the server had too much to
    do (429, 503) is sent again up to `retries` times, later each time, if it cannot be carried out twice. `ssl_context`
    says which certificates to trust for https, by default the system's.
    """

    def __init__(
        self, url: Optional[str] = None, *, key: Optional[str] = None, key_file: Optional[FilePath] = None,
        timeout: float = 130, retries: int = 4, ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        if key is not None and key_file is not None:
            raise ValueError("expected a key or a key_file, found both")
        if key_file is not None:
            key = Path(key_file).read_text().strip()
        #: Where the server is.
        self.url = url or os.environ.get("TRIPTYCH_URL") or "http://127.0.0.1:8080"
        key = key if key is not None else os.environ.get("TRIPTYCH_KEY") or None
        self._transport = Transport(self.url, key, timeout, retries, ssl_context)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are kept. The client can still be used: it makes new ones."""
        self._transport.pool.close()

    # The service

    def health(self) -> None:
        """Returns if the process answers."""
        self._transport.send("GET", "/healthz")

    def ready(self) -> Readiness:
        """The active model and the number of sightings. Raises `Overloaded` while there is no model, after retries."""
        return self._transport.ask(Readiness, "GET", "/readyz")

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

    def erase_model(self, model: str) -> None:
        """Erases a model and all its embeddings. Raises `Conflict` if it is active."""
        self._transport.erase(path("models", model))

    def activate(self, model: str, *, dry_run: bool = False, allow_fewer_modalities: bool = False) -> Job:
        """Starts a job that makes a model the active one once it has embedded everything, or compares it with `dry_run`."""
        return self._transport.ask(
            Job, "POST", path("models", model, "activation"),
            query={"dry_run": dry_run, "allow_fewer_modalities": allow_fewer_modalities})

    # Jobs

    def jobs(self, *, page_size: int = 200) -> Iterator[Job]:
        """All jobs, also those of earlier runs of the server."""
        return self._transport.pages(Job, path("jobs"), page_size)

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
        """Server-sent events of one stream (WHATWG HTML, 9.2), whose data are jobs."""
        def left() -> float:
            seconds = self._transport.pool.timeout if end is None else end - time.monotonic()
            if seconds <= 0:
                raise TimedOut(f"the job {job} has not ended in time")
            return min(seconds, self._transport.pool.timeout)

        target = path("jobs", job, "events")
        with self._transport.open(target, accept="text/event-stream", timeout=left()) as stream:
            for line in lines_of(stream.parts()):
                if line.startswith(b"data:"):
                    yield decode(Job, parse(line[5:]))
                stream.wait_at_most(left())


def _id(job: Union[Job, str]) -> str:
    return job if isinstance(job, str) else job.id
