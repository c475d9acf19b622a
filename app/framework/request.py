"""The context that is sent with a message, and the outcome of a command."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.framework.principal import ANONYMOUS, Principal

ValueT_co = TypeVar("ValueT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Identifies a command, so that its sender can repeat it safely.

    value: chosen by the sender, for this command only.
    fingerprint: of the content of the command; distinguishes a repeat from another command.
    """

    value: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The context of a message; every behaviour and the handler get it.

    request_id: identifies the request in logs and, as correlation id, in its events; clients may
        have sent it.
    internal_id: identifies it uniquely, as causation id of its events; None: they get a new one.
    principal: for whom it is carried out; its events record it as their actor. An anonymous one
        may do nothing.
    idempotency_key: the command is carried out only if no earlier one had this key.
    minimum_position: a query reads views that have reached this position; 0 for any.
    traceparent: the trace that it is part of, which its events carry on; None without one.
    """

    request_id: str | None = None
    principal: Principal = ANONYMOUS
    internal_id: str | None = None
    idempotency_key: IdempotencyKey | None = None
    minimum_position: int = 0
    traceparent: str | None = None


NO_CONTEXT = RequestContext()
"""The context of messages that are sent without one, as tests do. Policies refuse it."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ValueT_co]):
    """The result of a command.

    value: its answer.
    version, position: of the last event of its aggregate, in its stream and in the log; 0 if it
        records no events.
    replayed: whether an earlier command with the same idempotency key was carried out instead.
    """

    value: ValueT_co
    version: int = 0
    position: int = 0
    replayed: bool = False


logged_request_id: ContextVar[tuple[str, str] | None] = ContextVar(
    "logged_request_id", default=None
)
"""The id of the current request and its internal one, for log lines only."""
