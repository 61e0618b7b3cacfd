"""A client of Triptych, a service that recognises vehicles and people in visible, near-infrared and thermal images.

    from triptych_client import Client, Triple

    client = Client("http://127.0.0.1:8080")
    parking = client.create_gallery("parking", exist_ok=True)
    parking.enrol("van-17", Triple(rgb="rgb.jpg", nir="nir.jpg", tir="tir.jpg"), camera="north")
    for match in parking.query(Triple(rgb="other.jpg"), limit=3).matches:
        print(match.identity, match.score)

`Client` has what a server has (vectors, galleries, models, jobs, events, keys), `Gallery` what a gallery has. What is
answered are dataclasses; what is refused is raised as a `Problem`.
"""
from ._version import __version__
from .analyses import (
    BestScores, CurvePoint, Evaluation, FailedQuery, GalleryMap, MapPoint, OpenSetErrors, PoorIdentity, Retrieval,
)
from .answers import (
    Access, AuditRecord, BatchResult, Comparison, Contender, Correction, Distinction, Embedding, Event, Facets, GalleryInfo,
    GallerySummary, Identification, Identity, ImageQuality, Job, Key, Match, Missed, Model, ModelShare, NewKey, QueryResult, RateLimit,
    Readiness, Server, Servers, Sighting, SightingRef, Similar, SimilarIdentities, Threshold, Timing, Upload, Webhook,
)
from .client import Client
from .errors import (
    BadRequest, Conflict, ConnectionFailed, Forbidden, JobFailed, NotFound, Overloaded, Problem, Refused, StorageFull,
    TimedOut, TooLarge, TooManyRequests, TriptychError, Unauthorized, UnexpectedAnswer,
)
from .gallery import Gallery
from .members import UNCHANGED
from .subjects import Filter, Image, Metadata, QuerySubject, SightingLike, Subject, Text, Time, Triple, Vector, Vectors
from .transfer import ImportLine, Progress

__all__ = [
    "__version__", "Access", "AuditRecord", "BadRequest", "BatchResult", "BestScores", "Client", "Comparison", "Conflict",
    "ConnectionFailed", "Contender", "Correction", "CurvePoint", "Distinction", "Embedding", "Evaluation", "Event", "Facets",
    "FailedQuery", "Filter", "Forbidden", "Gallery", "GalleryInfo", "GalleryMap", "GallerySummary", "Identification",
    "Identity", "Image", "ImageQuality", "ImportLine", "Job", "JobFailed", "Key", "MapPoint", "Match", "Metadata",
    "Missed", "Model", "ModelShare", "NewKey", "NotFound", "OpenSetErrors", "Overloaded", "PoorIdentity", "Problem",
    "Progress", "QueryResult", "QuerySubject", "RateLimit", "Readiness", "Refused", "Retrieval", "Server", "Servers", "Sighting",
    "SightingLike", "SightingRef", "Similar", "SimilarIdentities", "StorageFull", "Subject", "Text", "Threshold",
    "Time", "TimedOut", "Timing", "TooLarge", "TooManyRequests", "Triple", "TriptychError", "Unauthorized", "UNCHANGED",
    "UnexpectedAnswer", "Upload", "Vector", "Vectors", "Webhook",
]
