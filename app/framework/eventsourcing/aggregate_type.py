"""The description of a type of aggregate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from app.framework.eventsourcing.aggregates import AggregateT
from app.framework.eventsourcing.snapshots import Snapshots
from app.framework.eventsourcing.store import Claim


@dataclass(frozen=True, slots=True)
class AggregateType(Generic[AggregateT]):
    """A type of aggregate: its streams, and the class they are folded into.

    stream_type: the first part of the ids of its streams, `<stream_type>-<id>`; without a hyphen.
    aggregate: the class of the state.
    snapshots: how snapshots are taken; None to load every stream from its first event.
    claim_taken: makes the domain error for a claim that another stream holds; None for ClaimTaken.
    """

    stream_type: str
    aggregate: type[AggregateT]
    snapshots: Snapshots[AggregateT] | None = None
    claim_taken: Callable[[Claim], Exception] | None = None

    def __post_init__(self) -> None:
        # The streams of `order-line` would be among those of `order`.
        if not self.stream_type or "-" in self.stream_type:
            raise ValueError(f"The stream type {self.stream_type!r} is empty or has a hyphen.")
