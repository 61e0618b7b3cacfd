"""What the server answers, as dataclasses. Members that a newer server adds are ignored; digests name models."""
from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

from .errors import Problem

if TYPE_CHECKING:
    Floats = array[float]
else:
    Floats = array

#: A value of metadata.
Value = Union[str, float, bool]


@dataclass(frozen=True)
class Readiness:
    """The active model and how much the server has; a server with keys tells `status` alone to who has none."""

    status: str
    model: Optional[str] = None
    modalities: Optional[List[str]] = None
    dimension: Optional[int] = None
    sightings: Optional[int] = None


@dataclass(frozen=True)
class Server:
    """One of several servers of a database, as it was `last_seen`; times are by the database's clock."""

    id: str
    name: str
    started_at: datetime
    last_seen: datetime
    sequence: int
    leader: bool
    live: bool


@dataclass(frozen=True)
class Servers:
    """The servers that share a database, none where there can be only one; and up to which change the index goes of the one that
    answers, of those that it knows of."""

    sequence: int
    newest: int
    leader: bool
    items: List[Server]


@dataclass(frozen=True)
class Embedding:
    """What a triple's vectors are. It can be enrolled and queried with in the triple's place.

    `embedding` has unit length; `vectors` are by modality and find any other modalities. Both are float32, and share
    their memory with `numpy.asarray(…)` and `torch.frombuffer(…)`.
    """

    model: str
    modalities: List[str]
    embedding: Floats
    vectors: Dict[str, Floats]


@dataclass(frozen=True)
class Comparison:
    """The cosine of two triples; `modalities` of the first and of the second."""

    model: str
    modalities: List[List[str]]
    score: float


@dataclass(frozen=True)
class GalleryInfo:
    """A gallery's own record. Sightings are erased `retention_days` after they were seen; None: never."""

    name: str
    metadata: Dict[str, Any]
    created_at: datetime
    label: Optional[str] = None
    retention_days: Optional[int] = None


@dataclass(frozen=True)
class ModelShare:
    """How many of a gallery's sightings a model has embedded."""

    model: str
    dimension: int
    sightings: int


@dataclass(frozen=True)
class GallerySummary(GalleryInfo):
    """A gallery and how much is in it; `image_bytes` of kept images, `models` by how much they have embedded."""

    identities: int = 0
    sightings: int = 0
    images: int = 0
    image_bytes: int = 0
    models: List[ModelShare] = field(default_factory=list)


@dataclass(frozen=True)
class Identity:
    """One vehicle or person; `sightings` is how many there are, `last_seen` when the last was seen, or else enrolled.

    `watchlist`: they are told as events of that kind.
    """

    id: str
    metadata: Dict[str, Any]
    created_at: datetime
    updated_at: datetime
    sightings: int
    label: Optional[str] = None
    watchlist: bool = False
    last_seen: Optional[datetime] = None


@dataclass(frozen=True)
class SightingRef:
    """Names a sighting by its identity and its own identifier, where no answer is at hand that does."""

    identity: str
    sighting: str


@dataclass(frozen=True)
class Sighting:
    """An enrolled triple. `modalities` and `boxes` are those of its kept images."""

    id: str
    identity: str
    metadata: Dict[str, Any]
    created_at: datetime
    modalities: List[str]
    camera: Optional[str] = None
    captured_at: Optional[datetime] = None
    boxes: Dict[str, List[int]] = field(default_factory=dict)

    @property
    def sighting(self) -> str:
        """Its identifier, by the name that matches have for it."""
        return self.id


@dataclass(frozen=True)
class Match:
    """The best sighting of an identity, or a sighting, with its score; `label` is the identity's.

    `counted`: of how many of the identity's sightings the score is the mean. `by_exemplar` has None where there is nothing
    to compare. `gallery`: where it is, if several were queried.
    """

    identity: str
    score: float
    sighting: str
    metadata: Dict[str, Any]
    label: Optional[str] = None
    camera: Optional[str] = None
    captured_at: Optional[datetime] = None
    by_modality: Optional[Dict[str, float]] = None
    by_exemplar: Optional[List[Optional[float]]] = None
    counted: Optional[int] = None
    gallery: Optional[str] = None


@dataclass(frozen=True)
class Timing:
    """Milliseconds, waiting included. Identifying counts decoding as encoding, and enrolling as searching."""

    encode_ms: float
    search_ms: float
    decode_ms: float = 0


@dataclass(frozen=True)
class QueryResult:
    """Matches, best first. `unknown`: there is none. `incomparable`: sightings that share no modality with the query."""

    model: str
    modalities: List[str]
    matches: List[Match]
    unknown: bool
    incomparable: int
    timing: Optional[Timing] = None


@dataclass(frozen=True)
class CameraCount:
    """Sightings of a camera."""

    camera: str
    sightings: int


@dataclass(frozen=True)
class CameraCounts:
    """Of the hundred cameras with the most sightings, of all others, and without a camera."""

    items: List[CameraCount]
    others: int
    unknown: int


@dataclass(frozen=True)
class TimeCount:
    """Sightings of a span of time, which begins at `start`."""

    start: datetime
    sightings: int


@dataclass(frozen=True)
class TimeCounts:
    """Of the last thousand hours, days, weeks or months (`bucket`) with any, of those before, and without a time."""

    bucket: str
    items: List[TimeCount]
    earlier: int
    unknown: int


@dataclass(frozen=True)
class ModalityCount:
    """Sightings with kept images of exactly these modalities."""

    modalities: List[str]
    sightings: int


@dataclass(frozen=True)
class LabelCount:
    """Identities with a label, or without one, and their sightings."""

    identities: int
    sightings: int


@dataclass(frozen=True)
class Facets:
    """How many sightings there are, of how many identities, by what is known of them."""

    sightings: int
    identities: int
    cameras: CameraCounts
    times: TimeCounts
    modalities: List[ModalityCount]
    labelled: LabelCount
    unlabelled: LabelCount


@dataclass(frozen=True)
class BatchResult:
    """A result for each query, in their order, or what was wrong with it alone."""

    results: List[Union[QueryResult, Problem]]
    timing: Timing


@dataclass(frozen=True)
class Contender:
    """The best sighting of an identity that a passage was compared with, and the score from which it would match."""

    identity: str
    score: float
    threshold: float
    modalities: List[str]
    sighting: str
    label: Optional[str] = None
    camera: Optional[str] = None
    captured_at: Optional[datetime] = None


@dataclass(frozen=True)
class ImageQuality:
    """Shorter side in pixels; variance of the Laplacian and standard deviation of the luminance at the model's size."""

    side: int
    sharpness: float
    contrast: float


@dataclass(frozen=True)
class Identification:
    """Whose a passage is, and what was enrolled.

    `matched`: the identity was known before. `new`: it was made. `ambiguous`: two were too close to tell. `sufficient`:
    a triple shows enough for a newcomer. `replayed`: enrolled before, with the same key. `quality` is by triple and
    modality. Without an `identity` it is nobody's, and was not enrolled.
    """

    model: str
    matched: bool
    ambiguous: bool
    new: bool
    replayed: bool
    sufficient: bool
    quality: List[Dict[str, ImageQuality]]
    sightings: List[Sighting]
    contenders: List[Contender]
    timing: Timing
    identity: Optional[str] = None


@dataclass(frozen=True)
class Threshold:
    """The least cosine at which sightings are one identity's. `stale`: another model's, and not used."""

    model: str
    modalities: List[str]
    threshold: float
    stale: bool


@dataclass(frozen=True)
class Similar:
    """Another identity that may be the same: its `sighting` `resembles` one of the identity that was asked about."""

    identity: str
    score: float
    sighting: str
    resembles: str
    label: Optional[str] = None


@dataclass(frozen=True)
class SimilarIdentities:
    """Other identities that may be the same, the most similar first, under a model."""

    model: str
    items: List[Similar]


@dataclass(frozen=True)
class Correction:
    """A move, rename, merge, split or `distinguish`, which can be undone."""

    id: str
    kind: str
    sightings: int
    created_at: datetime
    identity: Optional[str] = None
    undone_at: Optional[datetime] = None


@dataclass(frozen=True)
class Distinction:
    """An identity that is not the same as the one that was asked about, and the correction that said so."""

    identity: str
    created_at: datetime
    label: Optional[str] = None
    correction: Optional[str] = None


@dataclass(frozen=True)
class Model:
    """A checkpoint that the server has verified; `model` is its digest, or what its vectors are known by where the server
    computes it in another precision: then `checkpoint` is the digest and `computed` the precision. `activation` is the job
    that is to make it answer, if there is one that has not ended."""

    model: str
    active: bool
    sightings: int
    system: str
    backbone: str
    modalities: List[str]
    dimension: int
    parameters: int
    sparsity: float
    bytes: int
    precision: str
    self_tested: bool
    activation: Optional[str] = None
    checkpoint: Optional[str] = None
    computed: Optional[str] = None
    parent: Optional[str] = None
    training: Optional[Dict[str, Any]] = None
    pruning: Optional[Dict[str, Any]] = None
    quantization: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Job:
    """What takes long. `done` of `total` sightings (0 while not known); `result` says what came out."""

    id: str
    kind: str
    state: str
    done: int
    total: int
    created_at: datetime
    updated_at: datetime
    model: Optional[str] = None
    gallery: Optional[str] = None
    rate: Optional[float] = None
    seconds_left: Optional[float] = None
    reason: Optional[str] = None
    result: Optional[Dict[str, Any]] = None
    started_at: Optional[datetime] = None

    @property
    def ended(self) -> bool:
        """Whether it has succeeded, failed or been cancelled."""
        return self.state not in ("waiting", "running")


@dataclass(frozen=True)
class Event:
    """Something that has happened; `id` is its place. `kind`: enrolled, matched, new, watchlist, erased or model."""

    id: int
    kind: str
    at: datetime
    gallery: Optional[str] = None
    identity: Optional[str] = None
    label: Optional[str] = None
    sighting: Optional[str] = None
    camera: Optional[str] = None
    captured_at: Optional[datetime] = None
    score: Optional[float] = None
    detail: Optional[Dict[str, Any]] = None

    @property
    def seen(self) -> Optional[SightingRef]:
        """The sighting as its gallery's methods take it, if the event is about one."""
        return SightingRef(self.identity, self.sighting) if self.identity and self.sighting else None


@dataclass(frozen=True)
class Missed:
    """In the place of events that cannot be told any more: list anew what is there.

    They came after `after`. None: the connection broke before the server had said where in its events it was.
    """

    after: Optional[int] = None


@dataclass(frozen=True)
class Access:
    """What whoever asks may do: `operations` by method and path, those of a gallery in `galleries`. No `galleries`: in all. No `id`: the
    server has no keys."""

    name: str
    role: str
    operations: List[str]
    id: Optional[str] = None
    galleries: Optional[List[str]] = None


@dataclass(frozen=True)
class Key:
    """Who may do what: `role` is read, enrol or admin. No `galleries`: all. What it has not is without bound."""

    id: str
    name: str
    role: str
    created_at: datetime
    galleries: Optional[List[str]] = None
    requests_per_minute: Optional[int] = None
    expires_at: Optional[datetime] = None
    revoked_at: Optional[datetime] = None


@dataclass(frozen=True)
class NewKey:
    """A key that was made and its secret, which a `Client` takes as `key`. The server cannot tell `token` again."""

    key: Key
    token: str = field(repr=False)


@dataclass(frozen=True)
class Upload:
    """A checkpoint that is handed over in pieces: `offset` of its `bytes` have come; `model` is the digest that it must have."""

    id: str
    bytes: int
    offset: int
    expires_at: datetime
    model: Optional[str] = None


@dataclass(frozen=True)
class Webhook:
    """Who is called with what happens, and how that goes: `state` is active, failing or dead.

    `position` is the last event that it has taken; `behind` how many there are after that, for it or not.
    """

    id: str
    url: str
    filter: Dict[str, List[str]]
    state: str
    position: int
    behind: int
    delivered: int
    failures: int
    created_at: datetime
    failing_since: Optional[datetime] = None
    next_at: Optional[datetime] = None
    last_error: Optional[str] = None


@dataclass(frozen=True)
class AuditRecord:
    """Who did what, when: the `key` of that identifier (None: the server itself, or anyone), to `count` things.

    `subject` is the row of an identity, sighting, correction or key: what was erased is not named.
    """

    at: datetime
    action: str
    count: int
    key: Optional[str] = None
    gallery: Optional[str] = None
    gallery_id: Optional[int] = None
    subject: Optional[int] = None


@dataclass(frozen=True)
class RateLimit:
    """What a key may send: `per_minute` requests, of which `remaining` may come at once, one more after `seconds`."""

    per_minute: int
    remaining: int
    seconds: int
