"""Event sourcing: aggregates as folds of streams of events, kept in one log.

Imports the standard library only (and what every port shares: storage errors, requests).
"""

from app.framework.eventsourcing.aggregate_type import AggregateType
from app.framework.eventsourcing.aggregates import Aggregate, Decide, Stored
from app.framework.eventsourcing.clock import CLOCK_TOLERANCE, ClockWatch, DatedLog, LogClock
from app.framework.eventsourcing.command_handlers import CommandHandlers
from app.framework.eventsourcing.errors import (
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
from app.framework.eventsourcing.events import (
    Data,
    Event,
    Metadata,
    RecordedEvent,
    event_data,
)
from app.framework.eventsourcing.ids import uuid7
from app.framework.eventsourcing.registry import EncodedEvent, EventRegistry, Upcaster, Upcasters
from app.framework.eventsourcing.repository import Repository
from app.framework.eventsourcing.retention import keep_purging
from app.framework.eventsourcing.snapshots import Snapshots
from app.framework.eventsourcing.store import (
    Append,
    Appended,
    Claim,
    EventLog,
    EventStore,
    LogSource,
    Purged,
    Receipt,
    RecordedSnapshot,
    Snapshot,
)

__all__ = [
    "CLOCK_TOLERANCE",
    "Aggregate",
    "AggregateType",
    "Append",
    "AppendRefused",
    "Appended",
    "Claim",
    "ClaimTaken",
    "ClockWatch",
    "CommandHandlers",
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
    "IdempotencyKeyReused",
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
    "keep_purging",
    "uuid7",
]
