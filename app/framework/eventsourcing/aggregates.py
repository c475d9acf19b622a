"""Aggregates: folds of their streams, which commands are decided on."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, Self, TypeVar

from app.framework.eventsourcing.events import Event
from app.framework.eventsourcing.store import Claim


class Aggregate(Protocol):
    """The state that decisions are made on: an immutable fold of a stream's events."""

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        """The state after `event`; pure, and never refuses an event that was recorded."""
        ...

    def claims(self) -> Collection[Claim]:
        """The claims that the aggregate holds in this state; no other stream may hold them."""
        ...


AggregateT = TypeVar("AggregateT", bound=Aggregate)

Decide = Callable[[AggregateT | None], Sequence[Event]]
"""The events of a command, from the state of its aggregate (None: no such aggregate yet).

Pure, as it may run on an outdated state, or on None though there is an aggregate, and then again on
the current state. No events means that nothing changes. Raises a domain error to refuse.
"""


@dataclass(frozen=True, slots=True)
class Stored(Generic[AggregateT]):
    """An aggregate and where it stands.

    version, position: of its last event, in its stream and in the log.
    created_at, updated_at: when its first and its last event were recorded, in UTC.
    last_snapshot_at: its version when its snapshot was taken; 0 if there is none.
    replayed: whether it is the result of an earlier command with the same idempotency key.
    """

    state: AggregateT
    version: int
    position: int
    created_at: datetime
    updated_at: datetime
    last_snapshot_at: int = 0
    replayed: bool = False
