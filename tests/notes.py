"""A bounded context for tests: notes that are written, added to and erased, and views of them.

Its folds show whatever goes wrong: a document lists everything that was applied to it, so that
an event skipped, applied twice or in another order is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.eventsourcing import Append, Event, EventRegistry, Metadata, RecordedEvent
from app.framework.projections import (
    Document,
    Index,
    Projection,
    ProjectionState,
    ProjectionStatus,
    Versioned,
    by_aggregate,
    existing,
    fold,
)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 8, 30, 15, 123000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NoteWritten(Event):
    """A note began."""

    event_type: ClassVar[str] = "NoteWritten"

    text: str


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    """Something was added to a note."""

    event_type: ClassVar[str] = "NoteAdded"

    text: str


@dataclass(frozen=True, slots=True)
class NoteErased(Event):
    """A note is no more; it may be written again."""

    event_type: ClassVar[str] = "NoteErased"


@dataclass(frozen=True, slots=True)
class NoteRead(Event):
    """Somebody read a note, which no view shows."""

    event_type: ClassVar[str] = "NoteRead"


NOTE_EVENTS: Sequence[type[Event]] = (NoteWritten, NoteAdded, NoteErased, NoteRead)


def _written(_: Document | None, recorded: RecordedEvent, event: NoteWritten) -> Document:
    return {"shelf": "a", "texts": [event.text], "written_at": recorded.recorded_at}


def _added(document: Document | None, recorded: RecordedEvent, event: NoteAdded) -> Document:
    before = existing(document, recorded)
    return {**before, "texts": [*before["texts"], event.text]}


def _erased(_: Document | None, __: RecordedEvent, ___: NoteErased) -> None:
    return None


def notes(*, version: int = 1, name: str = "notes") -> Projection:
    """A document a note, with all that it says."""
    return Projection(
        name=name,
        version=version,
        key=by_aggregate,
        handlers={NoteWritten: _written, NoteAdded: _added, NoteErased: _erased},
        ignored={NoteRead},
        creates={NoteWritten, NoteErased},
        indexes=(Index(("shelf", "written_at")),),
    )


def _logged(_: Document | None, recorded: RecordedEvent, event: Event) -> Document:
    return {"note": recorded.aggregate_id, "type": event.event_type, "version": recorded.version}


LOG = Projection(
    name="notes_log",
    version=1,
    key=lambda recorded: f"{recorded.aggregate_id}:{recorded.version}",
    handlers=dict.fromkeys(NOTE_EVENTS, _logged),
    creates=NOTE_EVENTS,
    indexes=(Index(("note", "version")),),
)
"""A document an event."""

NOTES = notes()


async def append(log: MemoryEventStore, note: str, *events: Event) -> None:
    """Append `events` to a note, wherever it is."""
    stream_id = f"note-{note}"
    version = 0
    while some := await log.load(stream_id, after_version=version):
        version = some[-1].version
    await log.append(Append(stream_id, version, events))


def new_log(*more: type[Event]) -> MemoryEventStore:
    """An empty log of notes, that may hold `more` events."""
    return MemoryEventStore(EventRegistry([*NOTE_EVENTS, *more]))


def recorded(position: int, note: str, event: Event, version: int = 1) -> RecordedEvent:
    """An event as it stands in the log at `position`, a second after the one before."""
    at = BEGIN + timedelta(seconds=position)
    return RecordedEvent(position, f"note-{note}", version, event, Metadata(), at)


async def folded(log: MemoryEventStore, projection: Projection) -> dict[str, Versioned]:
    """What a fold of the whole log leads to: the documents that there must be."""
    return fold(projection, {}, await log.read(after=0, limit=10_000))


def note(text: str, position: int) -> Versioned:
    """A note as of `position`."""
    return Versioned({"shelf": "a", "texts": [text], "written_at": NOW}, position)


def deleted(position: int) -> Versioned:
    """A note that was erased at `position`."""
    return Versioned(None, position)


def status(projection: Projection, position: int | None, **rest: Any) -> ProjectionStatus:
    """A projector's word that it runs and is at `position`."""
    fields = {"head": position, "state": ProjectionState.RUNNING, "seen_at": datetime.now(UTC)}
    return ProjectionStatus(projection.name, projection.version, position, **{**fields, **rest})


async def write_notes(log: MemoryEventStore, *texts: str) -> None:
    """Append a note and what is added to it."""
    await append(log, "a", NoteWritten("begin"), *map(NoteAdded, texts))
