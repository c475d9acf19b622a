"""The one table from what can go wrong to what a client is told of it (RFC 9457).

A context adds a `ProblemType` for each way it refuses, and a line to `REFUSALS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from app.api.consistency import InvalidConsistencyToken
from app.eventsourcing import IdempotencyKeyReused, VersionConflict, VersionMismatch
from app.projecting import InvalidCursor, ReadModelBehind
from app.storage import Overloaded, StorageNotReady, StorageUnavailable
from app.users.errors import EmailTaken, UserAlreadyExists, UserIsDeactivated, UserNotFound


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem that clients can tell from others by its `code`.

    example: the detail of one such problem, for the documentation.
    retry_after: after how many seconds trying again makes sense; None where it does not.
    """

    status: int
    code: str
    title: str
    example: str
    retry_after: int | None = None


USER_NOT_FOUND = ProblemType(
    404, "user-not-found", "User not found", "User with ID user123 not found."
)
USER_ALREADY_EXISTS = ProblemType(
    409, "user-already-exists", "User already exists", "User with ID user123 already exists."
)
EMAIL_TAKEN = ProblemType(
    409,
    "email-taken",
    "E-mail address taken",
    "The e-mail address alice@example.com belongs to another user.",
)
USER_DEACTIVATED = ProblemType(
    409,
    "user-deactivated",
    "User deactivated",
    "User with ID user123 is deactivated; reactivate it first.",
)
VERSION_MISMATCH = ProblemType(
    412,
    "version-mismatch",
    "Version mismatch",
    "The version is 4 by now, which If-Match does not name.",
)
CONFLICT = ProblemType(
    409,
    "conflict",
    "Conflict",
    "Others changed the same thing at the same time, attempt after attempt. Send it again.",
)
INVALID_REQUEST = ProblemType(
    422,
    "invalid-request",
    "Invalid request",
    "The request is invalid in 1 place; `errors` says where and why.",
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    422,
    "idempotency-key-reused",
    "Idempotency key reused",
    "The Idempotency-Key was used for another request; make a new one for each.",
)
INVALID_CURSOR = ProblemType(
    400,
    "invalid-cursor",
    "Invalid cursor",
    "The cursor is malformed; send a next_cursor as it was given.",
)
INVALID_CONSISTENCY_TOKEN = ProblemType(
    400,
    "invalid-consistency-token",
    "Invalid consistency token",
    "The Consistency-Token is malformed; send one as it was given.",
)
NOT_FOUND = ProblemType(404, "not-found", "Not found", "Nothing is served at this path.")
METHOD_NOT_ALLOWED = ProblemType(
    405,
    "method-not-allowed",
    "Method not allowed",
    "This path does not take the method DELETE; the Allow header lists what it takes.",
)
PAYLOAD_TOO_LARGE = ProblemType(
    413,
    "payload-too-large",
    "Payload too large",
    "The body of a request may have at most 1048576 bytes.",
)
MISDIRECTED_REQUEST = ProblemType(
    421,
    "misdirected-request",
    "Misdirected request",
    "This process has the roles projector, queries and does not serve this request; "
    "send it to one that does.",
)
INTERNAL_ERROR = ProblemType(
    500,
    "internal-error",
    "Internal error",
    "Something went wrong on our side. Quote the request_id when you report it.",
)
OVERLOADED = ProblemType(
    503,
    "overloaded",
    "Overloaded",
    "Too many requests are waiting. Nothing was done; send it again later.",
    retry_after=1,
)
READ_MODEL_BEHIND = ProblemType(
    503,
    "read-model-behind",
    "Read model behind",
    "The views do not hold what the Consistency-Token or Last-Event-ID stands for yet. "
    "Send it again.",
    retry_after=1,
)
STORAGE_UNAVAILABLE = ProblemType(
    503,
    "storage-unavailable",
    "Storage unavailable",
    "PostgreSQL cannot be reached. Try again later; if this was a write, look first whether "
    "it was recorded.",
    retry_after=1,
)


def status_problem(status: int) -> ProblemType:
    """The problem of a bare HTTP status, as the framework raises them."""
    for each in (NOT_FOUND, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE):
        if each.status == status:
            return each
    phrase = HTTPStatus(status).phrase
    return ProblemType(status, phrase.lower().replace(" ", "-"), phrase.capitalize(), phrase)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How an error is told: as which problem, and what its detail says.

    The detail is the error's own message unless said otherwise, which is right only for
    messages that are meant for clients.
    """

    problem: ProblemType
    detail: Callable[[Any], str] = str


Refusals = Mapping[type[Exception], Refusal]

REFUSALS: Refusals = {
    UserNotFound: Refusal(USER_NOT_FOUND),
    UserAlreadyExists: Refusal(USER_ALREADY_EXISTS),
    EmailTaken: Refusal(EMAIL_TAKEN),
    UserIsDeactivated: Refusal(USER_DEACTIVATED),
    IdempotencyKeyReused: Refusal(IDEMPOTENCY_KEY_REUSED, lambda _: IDEMPOTENCY_KEY_REUSED.example),
    InvalidCursor: Refusal(INVALID_CURSOR),
    InvalidConsistencyToken: Refusal(INVALID_CONSISTENCY_TOKEN),
    ReadModelBehind: Refusal(READ_MODEL_BEHIND, lambda _: READ_MODEL_BEHIND.example),
    VersionConflict: Refusal(CONFLICT, lambda _: CONFLICT.example),
    VersionMismatch: Refusal(
        VERSION_MISMATCH,
        lambda error: f"The version is {error.actual} by now, which If-Match does not name.",
    ),
    Overloaded: Refusal(OVERLOADED, lambda _: OVERLOADED.example),
    StorageUnavailable: Refusal(
        STORAGE_UNAVAILABLE,
        lambda error: (
            f"{error.storage} cannot be reached. Try again later; if this was a write, look first "
            "whether it was recorded."
        ),
    ),
    StorageNotReady: Refusal(
        STORAGE_UNAVAILABLE, lambda _: "The storage is being worked on. Send it again later."
    ),
}
