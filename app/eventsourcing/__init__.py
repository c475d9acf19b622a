"""Event sourcing: aggregates as folds of streams of events, kept in one log.

Imports the standard library only (and the storage errors every port shares).
"""

from app.eventsourcing.aggregates import Aggregate, Decide, Stored
from app.eventsourcing.clock import CLOCK_TOLERANCE, ClockWatch, DatedLog, LogClock
from app.eventsourcing.errors import (
    AppendRefused,
    ClaimTaken,
    DuplicateCommand,
    DuplicateEventType,
    EventSourcingError,
    IdempotencyKeyReused,
    MisplacedEvent,
    UndecodableEvent,
    UnknownEvent,
    UnreadableEvent,
    VersionConflict,
    VersionMismatch,
)
from app.eventsourcing.events import (
    Data,
    Event,
    Metadata,
    RecordedEvent,
    event_data,
    request_metadata,
)
from app.eventsourcing.idempotency import (
    IdempotencyKey,
    IdempotentCommand,
    Receipt,
    idempotent,
    idempotent_command,
)
from app.eventsourcing.ids import uuid7
from app.eventsourcing.registry import EncodedEvent, EventRegistry, Upcaster, Upcasters
from app.eventsourcing.repository import Repository
from app.eventsourcing.retention import keep_purging
from app.eventsourcing.snapshots import Snapshots
from app.eventsourcing.store import (
    Append,
    Appended,
    Claim,
    EventLog,
    EventStore,
    LogSource,
    Purged,
    RecordedSnapshot,
    Snapshot,
)

__all__ = [
    "CLOCK_TOLERANCE",
    "Aggregate",
    "Append",
    "AppendRefused",
    "Appended",
    "Claim",
    "ClaimTaken",
    "ClockWatch",
    "Data",
    "DatedLog",
    "Decide",
    "DuplicateCommand",
    "DuplicateEventType",
    "EncodedEvent",
    "Event",
    "EventLog",
    "EventRegistry",
    "EventSourcingError",
    "EventStore",
    "IdempotencyKey",
    "IdempotencyKeyReused",
    "IdempotentCommand",
    "LogClock",
    "LogSource",
    "Metadata",
    "MisplacedEvent",
    "Purged",
    "Receipt",
    "RecordedEvent",
    "RecordedSnapshot",
    "Repository",
    "Snapshot",
    "Snapshots",
    "Stored",
    "UndecodableEvent",
    "UnknownEvent",
    "UnreadableEvent",
    "Upcaster",
    "Upcasters",
    "VersionConflict",
    "VersionMismatch",
    "event_data",
    "idempotent",
    "idempotent_command",
    "keep_purging",
    "request_metadata",
    "uuid7",
]
