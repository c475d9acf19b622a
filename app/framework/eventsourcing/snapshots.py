"""How the states of aggregates are kept beside their events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from app.framework.eventsourcing.aggregates import AggregateT, Stored
from app.framework.eventsourcing.events import Data
from app.framework.eventsourcing.store import RecordedSnapshot, Snapshot


@dataclass(frozen=True, slots=True)
class Snapshots(Generic[AggregateT]):
    """Has a repository keep a state now and then, and start from there instead of the beginning.

    edition: grows by one whenever `encode` or the fold changes: snapshots of other editions are
        passed over, and replaced in time.
    encode, decode: the state to JSON's types and back.
    every: how many events there may be past a snapshot before an append brings a new one. The
        last is kept, so that about as many events are read for a long stream as for a short one.
    """

    edition: int
    encode: Callable[[AggregateT], Data]
    decode: Callable[[Data], AggregateT]
    every: int = 20

    def due(
        self, before: Stored[AggregateT] | None, state: AggregateT, added: int
    ) -> Snapshot | None:
        """The snapshot that belongs to an append of `added` events that lead to `state`, if any."""
        # Without an event there is no position and no time that the snapshot could stand for.
        if before is None or not added:
            return None
        if before.version + added - before.snapshot_version < self.every:
            return None
        data = {"state": self.encode(state), "created_at": before.created_at.isoformat()}
        return Snapshot(self.edition, data)

    def restored(self, kept: RecordedSnapshot) -> Stored[AggregateT]:
        """The aggregate as of a snapshot."""
        return Stored(
            state=self.decode(kept.snapshot.data["state"]),
            version=kept.version,
            position=kept.position,
            created_at=datetime.fromisoformat(kept.snapshot.data["created_at"]),
            updated_at=kept.recorded_at,
            snapshot_version=kept.version,
        )
