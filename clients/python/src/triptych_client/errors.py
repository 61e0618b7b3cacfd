"""What can go wrong, as exceptions: `TriptychError` is all of them, `Problem` what the server refused and why."""
from __future__ import annotations

import email.utils
import json
import time
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Type

if TYPE_CHECKING:
    from .answers import Job

_PREFIX = "urn:triptych:problem:"


class TriptychError(Exception):
    """Whatever this client raises, except for arguments that make no sense (`ValueError`, `TypeError`)."""


class ConnectionFailed(TriptychError):
    """The server was not reached, or the connection broke before the whole answer had come.

    `sent`: whether something of the request may have reached the server, which may then have carried it out.
    """

    def __init__(self, message: str, *, sent: bool, repeatable: bool = True) -> None:
        super().__init__(message)
        self.sent = sent
        self.repeatable = repeatable


class TimedOut(TriptychError, TimeoutError):
    """Nothing came for as long as `timeout` allows, or a job has not ended in time."""


class UnexpectedAnswer(TriptychError):
    """What came is not what the contract says: another service, or one that is newer than this client by a major version."""


class JobFailed(TriptychError):
    """A job that was waited for has failed or was cancelled; `job` has its `state`, `reason` and `result`."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"the {job.kind} {job.id} has {job.state}" + (f": {job.reason}" if job.reason else ""))
        self.job = job


class Problem(TriptychError):
    """A refusal of the server's (RFC 9457). Catch a subclass, or compare `code`; show `detail`; log `request_id`."""

    def __init__(
        self, status: int, type: str = "about:blank", title: str = "", detail: str = "",
        request_id: Optional[str] = None, field: Optional[str] = None, modality: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(f"{status} {type.replace(_PREFIX, '') if type != 'about:blank' else title}: {detail}")
        #: The HTTP status.
        self.status = status
        #: The stable URN, `urn:triptych:problem:gallery-not-found`.
        self.type = type
        #: The status in words.
        self.title = title
        #: What was expected and what was found, for people.
        self.detail = detail
        #: The request's identifier, which the server's log has too.
        self.request_id = request_id
        #: The path of the field at fault, such as `options.limit`.
        self.field = field
        #: The modality of the image at fault.
        self.modality = modality
        #: Seconds after which the server asks to be asked again.
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """`type` without what all types begin with: `gallery-not-found`."""
        return self.type.replace(_PREFIX, "")

    def __reduce__(self) -> Any:
        arguments = (self.status, self.type, self.title, self.detail, self.request_id, self.field, self.modality)
        return type(self), (*arguments, self.retry_after)


class BadRequest(Problem):
    """400: something about the request is wrong; `field` says where, if it is a field."""


class Unauthorized(Problem):
    """401: a key is needed, or this one is not known, has expired or was revoked."""


class Forbidden(Problem):
    """403: this key's role is too low (`role-too-low`), or it is for other galleries (`other-gallery`)."""


class NotFound(Problem):
    """404: there is no such gallery, identity, sighting, image, model, job, correction or key."""


class Conflict(Problem):
    """409: what is there already stands against it."""


class TooLarge(Problem):
    """413 or 431: the body, or the head with its filters, is longer than the server allows."""


class Refused(Problem):
    """422: an image, a text or a checkpoint cannot be used; `modality` says which image."""


class Overloaded(Problem):
    """503: not now; `retry_after` says when, if the server does."""


class TooManyRequests(Overloaded):
    """429: more than this key may send in a minute; it may again after `retry_after` seconds."""


class StorageFull(Problem):
    """507: the server's disk is full, or there is not enough memory; nothing was stored."""


_BY_STATUS: Dict[int, Type[Problem]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 413: TooLarge, 422: Refused,
    429: TooManyRequests, 431: TooLarge, 503: Overloaded, 507: StorageFull,
}


def problem(document: Mapping[str, Any], status: Optional[int] = None, retry_after: Optional[float] = None) -> Problem:
    """The exception for a problem document."""
    def text(name: str) -> Optional[str]:
        value = document.get(name)
        return value if isinstance(value, str) else None

    given = document.get("status")
    status = status if status is not None else given if isinstance(given, int) else 500
    return _BY_STATUS.get(status, Problem)(
        status, text("type") or "about:blank", text("title") or "", text("detail") or "", text("instance"),
        text("field"), text("modality"), retry_after)


def problem_of_answer(status: int, reason: str, headers: Mapping[str, str], body: bytes) -> Problem:
    """The exception for an answer that is no success, whoever gave it: a proxy says things in HTML."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"title": reason, "detail": body[:200].decode("utf-8", "replace")}
    if "location" in headers and 300 <= status < 400:
        document["detail"] = f"redirects are not followed: the server may be at {headers['location'][:200]}"
    document.setdefault("instance", headers.get("x-request-id"))
    return problem(document, status, _seconds(headers.get("retry-after")))


def _seconds(retry_after: Optional[str]) -> Optional[float]:
    """Of `Retry-After`, which has seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
