"""The description of a type of aggregate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic

from app.framework.eventsourcing.aggregates import AggregateT
from app.framework.eventsourcing.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class AggregateType(Generic[AggregateT]):
    """A type of aggregate: its streams, and the class they are folded into.

    stream_type: the first part of the ids of its streams, `<stream_type>-<id>`; without a hyphen.
    aggregate: the class of the state.
    snapshots: how snapshots are taken; None to load every stream from its first event.
    claim_scopes: the scopes of its claims, each with a function that makes the domain error for a
        claim that another stream holds, from its key.
    """

    stream_type: str
    aggregate: type[AggregateT]
    snapshots: Snapshots[AggregateT] | None = None
    claim_scopes: Mapping[str, Callable[[str], Exception]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The streams of `order-line` would be among those of `order`.
        if not self.stream_type or "-" in self.stream_type:
            raise ValueError(f"The stream type {self.stream_type!r} is empty or has a hyphen.")
