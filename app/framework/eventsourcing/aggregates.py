"""What decisions are made on: aggregates, as folds of their streams."""

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
        """What no other stream may hold while this aggregate is in this state."""
        ...


AggregateT = TypeVar("AggregateT", bound=Aggregate)

Decide = Callable[[AggregateT | None], Sequence[Event]]
"""The events a command leads to, from the state it meets (None: no such aggregate yet).

Pure, since it may run on a state that turns out to be an old one, or on None though there is an
aggregate, and then again on the newer; no events means that nothing changes. Raises a domain error
to refuse.
"""


@dataclass(frozen=True, slots=True)
class Stored(Generic[AggregateT]):
    """An aggregate and where it stands.

    version, position: of its last event, in its stream and in the log.
    created_at, updated_at: when its first and its last event were recorded, in UTC.
    snapshot_version: its version in the snapshot that is kept; 0 if there is none.
    replayed: whether it is as an earlier command under the same idempotency key had left it.
    """

    state: AggregateT
    version: int
    position: int
    created_at: datetime
    updated_at: datetime
    snapshot_version: int = 0
    replayed: bool = False
