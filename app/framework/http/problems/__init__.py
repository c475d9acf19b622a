"""The one table from errors to problem documents (RFC 9457).

It has the kinds of the machinery and of the web framework. A context has a module of its own.
"""

from http import HTTPStatus

from app.framework.eventsourcing import (
    IdempotencyKeyReused,
    UnreadableEvent,
    VersionConflict,
    VersionMismatch,
)
from app.framework.http.entity_tags import WEAK_VERSION, entity_tag
from app.framework.http.problems.administration import ADMINISTRATION_PROBLEMS
from app.framework.http.problems.consistency import CONSISTENCY_PROBLEMS
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType
from app.framework.http.problems.security import (
    IDENTITY_UNAVAILABLE,
    INVALID_TOKEN,
    SECURITY_PROBLEMS,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
)
from app.framework.http.problems.streams import STREAM_PROBLEMS
from app.framework.http.request_rules import RepeatedHeader
from app.framework.projections import InvalidCursor
from app.framework.storage import Overloaded, StorageNotReady, StorageTimeout, StorageUnavailable

VERSION_MISMATCH = ProblemType(
    412,
    "version-mismatch",
    "Version mismatch",
    example="The version is 4 by now, which If-Match does not name.",
    meaning="What the write is to change is at another version than If-Match names, so nothing was "
    "changed. Read it, decide anew, and send the write with the new ETag. A weak ETag, such as "
    'W/"3", never matches: a proxy that compresses answers puts the W/ in front, so take it off.',
)
CONFLICT = ProblemType(
    409,
    "conflict",
    "Conflict",
    example="Others changed the same thing at the same time, attempt after attempt. Send it again.",
    meaning="Other processes changed the same thing each time this write was about to be recorded, "
    "and the service gave up. Nothing was changed; send it again.",
)
INVALID_REQUEST = ProblemType(
    422,
    "invalid-request",
    "Invalid request",
    example="The request is invalid in 1 place; `errors` says where and why.",
    meaning="The body, a parameter or a header is malformed. `errors` lists up to 20 places: a "
    "pointer to each, a code and a sentence. Nothing was changed; correct the request before "
    "it is sent again.",
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    422,
    "idempotency-key-reused",
    "Idempotency key reused",
    example="The Idempotency-Key was used for another request; make a new one for each.",
    meaning="A request with this key and another method, path or body was carried out before. "
    "Nothing was changed. A key stands for one write and its repeats.",
)
INVALID_CURSOR = ProblemType(
    400,
    "invalid-cursor",
    "Invalid cursor",
    example="The cursor is malformed; send a next_cursor as it was given.",
    meaning="The cursor was not made by this service, or was made for another filter or order. "
    "Start again without a cursor.",
)
MALFORMED_REQUEST = ProblemType(
    400,
    "malformed-request",
    "Malformed request",
    example="What was sent is not HTTP that can be understood.",
    meaning="The server could not make out the request: its line, a header or its framing breaks "
    "the rules of HTTP. Nothing was done, and the connection is closed.",
)
REPEATED_HEADER = ProblemType(
    400,
    "repeated-header",
    "Repeated header",
    example="The header Idempotency-Key came more than once; send it once.",
    meaning="A header that takes one value came in several lines, and the service does not choose "
    "between them: Idempotency-Key, If-Match, Consistency-Token, Last-Event-ID and Content-Type "
    "come once. Nothing was done. A proxy on the way may have added a line.",
)
NOT_FOUND = ProblemType(
    404,
    "not-found",
    "Not found",
    example="Nothing is served at this path.",
    meaning="No resource of this service has the path; the OpenAPI document at /openapi.json "
    "lists them all.",
)
METHOD_NOT_ALLOWED = ProblemType(
    405,
    "method-not-allowed",
    "Method not allowed",
    example="This path does not take the method DELETE; the Allow header lists what it takes.",
    meaning="The resource is there, but not for this method; the Allow header lists those that it "
    "takes.",
)
REQUEST_TIMEOUT = ProblemType(
    408,
    "request-timeout",
    "Request timeout",
    example="The request did not come in whole in time.",
    meaning="The head of a request has to be there 10 s after its first byte, the body 30 s after "
    "the head. Nothing was done, and the connection is closed; send it again, whole.",
)
PAYLOAD_TOO_LARGE = ProblemType(
    413,
    "payload-too-large",
    "Payload too large",
    example="The body of a request may have at most 65536 bytes.",
    meaning="The body is longer than any that the service accepts, whether it was sent with its "
    "length or in chunks. Nothing was done.",
)
ORIGIN_NOT_ALLOWED = ProblemType(
    403,
    "origin-not-allowed",
    "Origin not allowed",
    example="Pages of this origin may not call the service; CORS_ORIGINS lists those that may.",
    meaning="A browser sent the request for a page of another origin, as its Origin or "
    "Sec-Fetch-Site says, and the setting CORS_ORIGINS does not list that origin. Nothing was "
    "done. If the page is the service's own, a proxy in front passes on another Host than the "
    "browser sent.",
)
HOST_NOT_ALLOWED = ProblemType(
    421,
    "host-not-allowed",
    "Host not allowed",
    example="The service does not answer for this host; ALLOWED_HOSTS lists those it answers for.",
    meaning="The Host of the request is not one that the service is reached at. Nothing was done. "
    "If the host is right, it has to be in the setting ALLOWED_HOSTS.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    415,
    "unsupported-media-type",
    "Unsupported media type",
    example="The body must be sent with Content-Type: application/json.",
    meaning="The Content-Type of the body is not one that the operation takes, or is missing, or "
    "the body has a Content-Encoding. Nothing was done. A body is JSON, not compressed, sent with "
    "Content-Type: application/json; PATCH takes application/merge-patch+json as well.",
)
MISDIRECTED_REQUEST = ProblemType(
    421,
    "misdirected-request",
    "Misdirected request",
    example="This process has the roles projector, queries and does not serve this request; send "
    "it to one that does.",
    meaning="Reads and writes may be served by different processes, and this is one of the "
    "others. The proxy in front of the service has to send the request to a process with the right "
    "role.",
)
HEADERS_TOO_LARGE = ProblemType(
    431,
    "headers-too-large",
    "Headers too large",
    example="The path, query and headers of a request may have at most 32768 bytes together.",
    meaning="The path, the query and the headers are longer together than any that the service "
    "accepts. Nothing was done.",
)
INTERNAL_ERROR = ProblemType(
    500,
    "internal-error",
    "Internal error",
    example="Something went wrong on our side. Quote the request_id when you report it.",
    meaning="The service met something that it was not made for, and logged it under the "
    "request_id. Whether a write was recorded is not known: send it again with the same "
    "Idempotency-Key, or look.",
)
OVERLOADED = ProblemType(
    503,
    "overloaded",
    "Overloaded",
    example="Too many requests are waiting. Nothing was done; send it again later.",
    meaning="A bounded queue is full. Nothing was done; send it again after the seconds in "
    "Retry-After.",
    retry_after=1,
)
STORAGE_UNAVAILABLE = ProblemType(
    503,
    "storage-unavailable",
    "Storage unavailable",
    example="PostgreSQL cannot be reached. Try again later; if this was a write, look first "
    "whether it was recorded.",
    meaning="A database cannot be reached, or did not answer in time. Try again after the seconds "
    "in Retry-After. Whether a write was recorded is not known: send it again with the "
    "same Idempotency-Key, or look.",
    retry_after=1,
)

UNREADABLE_EVENT = ProblemType(
    503,
    "unreadable-event",
    "Unreadable event",
    example="What was recorded cannot be read by this version of the service. Nothing was done; "
    "send it again later.",
    meaning="An event that the request depends on was recorded in a form that the process does not "
    "know: by a newer version of the service, as a rule, while that is being rolled out. "
    "Nothing was done. Send it again after the seconds in Retry-After; if it goes on, those "
    "who run the service find the event in its log.",
    retry_after=10,
)

WITHOUT_MAPPING = (
    MALFORMED_REQUEST,
    UNAUTHENTICATED,
    INVALID_TOKEN,
    IDENTITY_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    INVALID_REQUEST,
    ORIGIN_NOT_ALLOWED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    REQUEST_TIMEOUT,
    PAYLOAD_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    HOST_NOT_ALLOWED,
    MISDIRECTED_REQUEST,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
)
"""The problems of what the server, the middleware and the web framework refuse."""


def status_problem(status: int) -> ProblemType:
    """The problem of a bare HTTP status, as the web framework raises it."""
    for each in (NOT_FOUND, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE):
        if each.status == status:
            return each
    phrase = HTTPStatus(status).phrase
    return ProblemType(status, phrase.lower().replace(" ", "-"), phrase.capitalize(), phrase)


def _version_mismatch(error: VersionMismatch) -> str:
    if error.expected == WEAK_VERSION:
        return (
            "If-Match names a weak entity tag (W/), which never matches; a proxy may have weakened "
            "it. Send the strong one, without W/. The version is "
            f"{error.actual}, whose entity tag is {entity_tag(error.actual)}."
        )
    return f"The version is {error.actual} by now, which If-Match does not name."


ERROR_MAPPINGS: ErrorMappings = {
    **STREAM_PROBLEMS,
    **ADMINISTRATION_PROBLEMS,
    **CONSISTENCY_PROBLEMS,
    **SECURITY_PROBLEMS,
    InvalidCursor: ErrorMapping(INVALID_CURSOR),
    IdempotencyKeyReused: ErrorMapping(
        IDEMPOTENCY_KEY_REUSED, lambda _: IDEMPOTENCY_KEY_REUSED.example
    ),
    RepeatedHeader: ErrorMapping(REPEATED_HEADER),
    VersionConflict: ErrorMapping(CONFLICT, lambda _: CONFLICT.example),
    VersionMismatch: ErrorMapping(VERSION_MISMATCH, _version_mismatch),
    Overloaded: ErrorMapping(OVERLOADED, lambda _: OVERLOADED.example),
    StorageUnavailable: ErrorMapping(
        STORAGE_UNAVAILABLE,
        lambda error: (
            f"{error.storage} cannot be reached. Try again later; if this was a write, look first "
            "whether it was recorded."
        ),
    ),
    StorageTimeout: ErrorMapping(
        STORAGE_UNAVAILABLE,
        lambda error: f"{error.storage} took too long over this read. Send it again later.",
    ),
    UnreadableEvent: ErrorMapping(UNREADABLE_EVENT, lambda _: UNREADABLE_EVENT.example),
    StorageNotReady: ErrorMapping(
        STORAGE_UNAVAILABLE, lambda _: "The storage is being worked on. Send it again later."
    ),
}


def problem_types(mappings: ErrorMappings) -> list[ProblemType]:
    """Every kind of problem that a request can be answered with, by status and code."""
    kinds = {*WITHOUT_MAPPING, *(each.problem for each in mappings.values())}
    return sorted(kinds, key=lambda each: (each.status, each.code))
