"""The history view: one document per event, with its stored payload."""

from app.contexts.users.domain.events import STREAM_TYPE, USER_EVENTS
from app.contexts.users.read_models import UserChange, UserHistoryEntry
from app.framework.eventsourcing import Event, EventRegistry, Metadata, RecordedEvent, event_data
from app.framework.projections import POSITION, Document, Entry, Index, Projection


def _happened(_: Document | None, recorded: RecordedEvent, event: Event) -> Document:
    return {
        "user_id": recorded.aggregate_id,
        "version": recorded.version,
        POSITION: recorded.position,
        "type": event.event_type,
        "schema_version": event.schema_version,
        "data": event_data(event),
        "occurred_at": recorded.recorded_at,
        "actor": recorded.metadata.actor,
    }


USER_HISTORY = Projection(
    name="user_history",
    version=1,
    key=lambda recorded: f"{recorded.aggregate_id}:{recorded.version}",
    handlers=dict.fromkeys(USER_EVENTS, _happened),
    creates=USER_EVENTS,
    indexes=(Index(("user_id", "version")), Index((POSITION,))),
    parks=False,
)


def history_entry(entry: Entry, registry: EventRegistry) -> UserHistoryEntry:
    document = entry.document
    return UserHistoryEntry(
        version=document["version"],
        type=document["type"],
        occurred_at=document["occurred_at"],
        actor=document["actor"],
        data=event_data(_event(entry, registry)),
    )


def change(entry: Entry, registry: EventRegistry) -> UserChange:
    """The change for followers, from a document of this view."""
    document = entry.document
    return UserChange(
        position=entry.position,
        user_id=document["user_id"],
        version=document["version"],
        type=document["type"],
        occurred_at=document["occurred_at"],
        actor=document["actor"],
        data=event_data(_event(entry, registry)),
    )


def recorded_event(entry: Entry, registry: EventRegistry) -> RecordedEvent:
    """The event of the log, from a document of this view."""
    document = entry.document
    return RecordedEvent(
        position=entry.position,
        stream_id=f"{STREAM_TYPE}-{document['user_id']}",
        version=document["version"],
        event=_event(entry, registry),
        metadata=Metadata(actor=document["actor"]),
        recorded_at=document["occurred_at"],
    )


def _event(entry: Entry, registry: EventRegistry) -> Event:
    document = entry.document
    return registry.decode_at(
        entry.position, document["type"], document["schema_version"], document["data"]
    )
