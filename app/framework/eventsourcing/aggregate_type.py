"""What there is to know of a type of aggregate, so that its commands can be handled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from app.framework.eventsourcing.aggregates import AggregateT
from app.framework.eventsourcing.snapshots import Snapshots
from app.framework.eventsourcing.store import Claim


@dataclass(frozen=True, slots=True)
class AggregateType(Generic[AggregateT]):
    """A type of aggregate: where its streams are, and what they are folded into.

    stream_type: the first part of the ids of its streams, `<stream_type>-<id>`; without a hyphen.
    aggregate: what a stream is folded into.
    snapshots: how states are kept; without, each load begins with the first event.
    claim_taken: the domain error for a claim that another stream holds; ClaimTaken without.
    """

    stream_type: str
    aggregate: type[AggregateT]
    snapshots: Snapshots[AggregateT] | None = None
    claim_taken: Callable[[Claim], Exception] | None = None
