"""Snapshots of aggregates, stored beside their events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from app.framework.eventsourcing.aggregates import AggregateT, Stored
from app.framework.eventsourcing.events import Data
from app.framework.eventsourcing.store import RecordedSnapshot, Snapshot


@dataclass(frozen=True, slots=True)
class Snapshots(Generic[AggregateT]):
    """Lets a repository load an aggregate from a snapshot and the events after it.

    version: the snapshot version. It grows by one whenever `encode` or the fold changes: snapshots
        of other versions are ignored, and replaced in time.
    encode, decode: the state to JSON's types and back.
    every: after how many events an append brings a new snapshot. The last one is kept, so a load
        reads about as many events of a long stream as of a short one.
    """

    version: int
    encode: Callable[[AggregateT], Data]
    decode: Callable[[Data], AggregateT]
    every: int = 20

    def due(
        self, before: Stored[AggregateT] | None, state: AggregateT, added: int
    ) -> Snapshot | None:
        """The snapshot for an append of `added` events that lead to `state`; None if not due."""
        # Without an event the snapshot has no position and no time.
        if before is None or not added:
            return None
        if before.version + added - before.last_snapshot_at < self.every:
            return None
        data = {"state": self.encode(state), "created_at": before.created_at.isoformat()}
        return Snapshot(self.version, data)

    def restored(self, kept: RecordedSnapshot) -> Stored[AggregateT]:
        return Stored(
            state=self.decode(kept.snapshot.data["state"]),
            version=kept.version,
            position=kept.position,
            created_at=datetime.fromisoformat(kept.snapshot.data["created_at"]),
            updated_at=kept.recorded_at,
            last_snapshot_at=kept.version,
        )
