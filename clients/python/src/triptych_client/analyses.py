"""What analyses of a gallery find: how well its sightings find each other, and where they are on a map."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import List, Optional

from .answers import Match


@dataclass(frozen=True)
class Retrieval:
    """mAP, mINP and the cumulative match characteristic, over the queries that have something to be found."""

    mean_average_precision: float
    mean_inverse_negative_penalty: float
    rank1: float
    rank5: float
    rank10: float
    queries: int
    skipped: int


@dataclass(frozen=True)
class OpenSetErrors:
    """FPIR, of newcomers, and FNIR, of those who are known."""

    false_positive_identification_rate: float
    false_negative_identification_rate: float


@dataclass(frozen=True)
class CurvePoint:
    """A threshold and what it would do."""

    threshold: float
    errors: OpenSetErrors


@dataclass(frozen=True)
class BestScores:
    """The best scores of queries in a hundred bins from -1 to 1, for one set of modalities that were compared."""

    modalities: List[str]
    genuine: List[int]
    impostor: List[int]
    curve: List[CurvePoint]
    threshold: Optional[float] = None
    errors: Optional[OpenSetErrors] = None


@dataclass(frozen=True)
class PoorIdentity:
    """An identity that its sightings do not find well."""

    identity: str
    mean_average_precision: float
    queries: int
    sightings: int
    label: Optional[str] = None


@dataclass(frozen=True)
class FailedQuery:
    """A sighting whose first answer is another identity; the best of its own is at `rank`."""

    sighting: str
    identity: str
    found: Match
    rank: int
    genuine: Optional[Match] = None


@dataclass(frozen=True)
class Evaluation:
    """How well the sightings of a gallery find each other. `stale`: another model answers now."""

    model: str
    stale: bool
    created_at: datetime
    seed: int
    sightings: int
    identities: int
    samples: int
    incomparable: int
    all: Retrieval
    cross_camera: Retrieval
    scores: List[BestScores]
    worst_identities: List[PoorIdentity]
    failures: List[FailedQuery]
    errors: Optional[OpenSetErrors] = None


@dataclass(frozen=True)
class MapPoint:
    """A sighting on a map; `x` and `y` are from -1 to 1, at one scale."""

    sighting: str
    identity: str
    modalities: List[str]
    x: float
    y: float
    label: Optional[str] = None
    camera: Optional[str] = None
    captured_at: Optional[datetime] = None


@dataclass(frozen=True)
class GalleryMap:
    """A gallery's embeddings in the plane. `trustworthiness` of a small map is None. `stale`: another model answers now."""

    id: str
    model: str
    stale: bool
    created_at: datetime
    seed: int
    sightings: int
    identities: int
    samples: int
    perplexity: float
    iterations: int
    items: List[MapPoint]
    trustworthiness: Optional[float] = None
