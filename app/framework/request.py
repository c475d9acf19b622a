"""What comes with a message and what comes back with its result, beside the two themselves."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

ValueT_co = TypeVar("ValueT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a sender names a command by, so as to be able to repeat it.

    value: chosen by the sender, for this command only.
    fingerprint: of what is asked for; tells a repeat from another command under one key.
    """

    value: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What a message was sent with; it reaches every behaviour and the handler.

    request_id: names the request in logs and, as correlation id, in the events it leads to.
    actor: who sent it, recorded with the events.
    idempotency_key: the command is carried out only if none was under this key before.
    minimum_position: what a query reads holds the log up to here; 0 for as far as it is.
    """

    request_id: str | None = None
    actor: str | None = None
    idempotency_key: IdempotencyKey | None = None
    minimum_position: int = 0


NO_CONTEXT = RequestContext()
"""The context of what is sent without one: by tests and scripts."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ValueT_co]):
    """What a command has led to.

    value: what it answers.
    version, position: where its aggregate stands after it, in its stream and in the log.
    replayed: whether the command had been carried out before, under the same idempotency key.
    """

    value: ValueT_co
    version: int
    position: int
    replayed: bool = False


logged_request_id: ContextVar[str | None] = ContextVar("logged_request_id", default=None)
"""The request under way, for the lines that are logged meanwhile; nothing else depends on it."""
