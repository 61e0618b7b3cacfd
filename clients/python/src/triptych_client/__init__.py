"""A client of Triptych, a service that recognises vehicles and people in visible, near-infrared and thermal images.

    from triptych_client import Client, Triple

    client = Client("http://127.0.0.1:8080")
    parking = client.create_gallery("parking", exist_ok=True)
    parking.enrol("van-17", Triple(rgb="rgb.jpg", nir="nir.jpg", tir="tir.jpg"), camera="north")
    for match in parking.query(Triple(rgb="other.jpg"), limit=3).matches:
        print(match.identity, match.score)

`Client` has what a server has (vectors, galleries, models, jobs), `Gallery` what a gallery has. What is answered are
dataclasses; what is refused is raised as a `Problem`.
"""
from ._version import __version__
from .answers import (
    BatchResult, Comparison, Contender, Correction, Embedding, GalleryInfo, GallerySummary, Identification, Identity,
    ImageQuality, Job, Match, Model, ModelShare, QueryResult, Readiness, Sighting, SightingRef, Similar, Threshold, Timing,
)
from .client import Client
from .errors import (
    BadRequest, Conflict, ConnectionFailed, Forbidden, JobFailed, NotFound, Overloaded, Problem, Refused, StorageFull,
    TimedOut, TooLarge, TriptychError, Unauthorized, UnexpectedAnswer,
)
from .gallery import Gallery
from .members import UNCHANGED
from .subjects import Filter, Image, Metadata, QuerySubject, SightingLike, Subject, Text, Time, Triple, Vector, Vectors
from .transfer import ImportLine, Progress

__all__ = [
    "BadRequest", "BatchResult", "Client", "Comparison", "Conflict", "ConnectionFailed", "Contender", "Correction",
    "Embedding", "Filter", "Forbidden", "Gallery", "GalleryInfo", "GallerySummary", "Identification", "Identity", "Image",
    "ImageQuality", "ImportLine", "Job", "JobFailed", "Match", "Metadata", "Model", "ModelShare", "NotFound", "Overloaded",
    "Problem", "Progress", "QueryResult", "QuerySubject", "Readiness", "Refused", "Sighting", "SightingLike", "SightingRef",
    "Similar", "StorageFull", "Subject", "Text", "Threshold", "Time", "TimedOut", "Timing", "TooLarge", "Triple",
    "TriptychError", "UNCHANGED", "Unauthorized", "UnexpectedAnswer", "Vector", "Vectors", "__version__",
]
