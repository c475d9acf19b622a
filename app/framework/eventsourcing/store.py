"""The ports of the write side: append to streams, load them, read the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.framework.eventsourcing.clock import DatedLog
from app.framework.eventsourcing.events import Data, Event, Metadata, RecordedEvent
from app.framework.request import IdempotencyKey

LOADED_AT_ONCE = 200
"""How many events of a stream one load returns, so that a long one does not block the loop."""

LAST_VERSION = 2**31 - 1
"""No stream is longer: versions are stored in 32 bits."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that one stream at most may hold within a scope: an e-mail address, say.

    Scopes are stored, and each belongs to one context: name it after what it is for, and declare it
    in `AggregateType.claim_scopes`. A state that names a claim no longer gives it back.
    """

    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Records that a command was carried out: its stream was at `version` afterwards."""

    key: IdempotencyKey
    stream_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a stream, so that a load need not fold all of its events.

    version: the snapshot version, of the form of `data` and of the fold that led to it; from 1.
    """

    version: int
    data: Data


@dataclass(frozen=True, slots=True)
class RecordedSnapshot:
    """A stored snapshot, with the version, position and time of the last event in it."""

    snapshot: Snapshot
    version: int
    position: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Append:
    """What one command appends to one stream, atomically.

    expected_version: the version the stream must be at; 0 for one that does not exist yet.
    events: in order; at least one, unless there is an `idempotency_key`.
    claims, releases: the claims to take and to release in the same transaction.
    idempotency_key: recorded in the same transaction; refused if it is recorded already.
    snapshot: of the stream after this; stored in the same transaction, replacing an earlier one.
        It has the version of the last event, so there must be an event.
    """

    stream_id: str
    expected_version: int
    events: Sequence[Event]
    metadata: Metadata = Metadata()
    claims: Sequence[Claim] = ()
    releases: Sequence[Claim] = ()
    idempotency_key: IdempotencyKey | None = None
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """The version and position of the last event of an append, and the time of all its events."""

    version: int
    position: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Purged:
    """The result of a purge.

    receipts: how many idempotency keys were purged.
    went_back: how far the newest mark was in the future; it counts as made now.
    """

    receipts: int
    went_back: timedelta = timedelta(0)


class EventStore(Protocol):
    """Appends to streams and loads them."""

    async def append(self, append: Append) -> Appended:
        """Record the events of `append`; they are durable when this returns.

        Raises:
            VersionConflict: the stream is not at the expected version.
            ClaimTaken: another stream holds one of the claims.
            DuplicateCommand: the idempotency key is recorded already; this comes before all
                other refusals.
            UnknownEvent: an event's class is not registered.
            Overloaded: too many appends are waiting; nothing was recorded.
            StorageUnavailable: the outcome is unknown.

        """
        ...

    async def load(
        self, stream_id: str, *, after_version: int = 0, up_to_version: int = LAST_VERSION
    ) -> Sequence[RecordedEvent]:
        """The next events of a stream past `after_version`, in order.

        Up to `up_to_version`, and LOADED_AT_ONCE of them; fewer only when there are no more.
        Holds every append that was acknowledged before the call.

        Raises:
            UnknownEvent, UndecodableEvent: an event is stored that cannot be decoded.
            Overloaded: too many loads are waiting.
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def load_from_snapshot(
        self,
        stream_id: str,
        *,
        snapshot_version: int,
        after_version: int = 0,
        up_to_version: int = LAST_VERSION,
    ) -> tuple[RecordedSnapshot | None, Sequence[RecordedEvent]]:
        """The snapshot of a stream past `after_version`, and the next events past both, as `load`.

        None if the stored one has another `snapshot_version`, or is past `up_to_version`.

        Raises what `load` does.
        """
        ...

    async def receipt(self, key: str) -> Receipt | None:
        """The receipt of the idempotency key `key`, if there is one.

        Raises:
            Overloaded: too many look-ups are waiting.
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def check_appends(self) -> None:
        """Return if an append can succeed, judged by recent appends or by a trial.

        Nothing is recorded, and the call takes seconds at most.

        Raises:
            StorageUnavailable: no append succeeds at present.

        """
        ...

    async def purge_receipts(self, *, marks: int, interval: timedelta) -> Purged:
        """Purge idempotency keys older than `marks` marks; add a mark if one is due.

        A mark separates the keys recorded before it from later ones. One is due when the last is
        older than `interval` by the storage's clock, and each call adds at most one. So a jump of
        that clock, of any size, ages keys by one mark only.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...


class EventLog(Protocol):
    """Reads all streams as one log, in commit order."""

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        """The next events past position `after`, at most `limit`, with no position skipped.

        Raises:
            UnknownEvent, UndecodableEvent: one of them cannot be decoded.
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def head(self) -> int:
        """The position of the last event; 0 for an empty log.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def wait(self, *, after: int, seconds: float) -> None:
        """Return once an append past position `after` is known of, or after `seconds`.

        Only a hint to read again: appends of this process are known, those of others may be.
        """
        ...


class LogSource(EventLog, DatedLog, Protocol):
    """The log with the clock and the identity of its database."""

    async def identity(self) -> str:
        """Identifies this log; it never changes.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...
