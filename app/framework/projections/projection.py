"""Projections: pure folds from events to documents."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.framework.eventsourcing import Event, RecordedEvent

Document = dict[str, Any]
"""The content of a view: fields of JSON's types, and datetimes in UTC to the millisecond. Names
that start with `_` are reserved for the store."""

EventT = TypeVar("EventT", bound=Event)

Apply = Callable[[Document | None, RecordedEvent, Any], Document | None]
"""`(document, recorded, recorded.event)` to the next document; None deletes it, or leaves it
absent. Pure: it never changes its arguments."""


Keyed = tuple[str, RecordedEvent]
"""The key of a document, and an event that belongs to it."""


@dataclass(frozen=True, slots=True)
class Index:
    """Fields that a query filters and sorts by, in the order of the index.

    The store adds the document's key as the last field, so that every order is total.
    """

    fields: tuple[str, ...]


class CannotApply(Exception):
    """A projection cannot apply an event: its handler, or its key, raised."""

    def __init__(self, projection_id: str, recorded: RecordedEvent, error: Exception) -> None:
        super().__init__(
            f"{projection_id} cannot apply the {recorded.event.event_type} at position "
            f"{recorded.position} ({recorded.stream_id}, version {recorded.version}): "
            f"{type(error).__name__}: {error}"
        )


@dataclass(frozen=True)
class Projection:
    """A view of the log: a fold from events to documents.

    name: the name of the view, which queries use too.
    version: the projection version. It grows whenever the fold or the shape changes; a new version
        is built beside the old one, which serves until the new one has caught up.
    key: returns the key of the document of an event.
    handlers: the function that applies each type of event. An event in neither `handlers` nor
        `ignored` is refused at start-up.
    ignored: events that leave the view as it is.
    creates: those of `handlers` that replace or delete the document. Their functions get None
        instead of the document, so it is not loaded.
    indexes: the indexes for its queries.
    parks: whether an event that cannot be applied parks its document only. Otherwise it stops the
        projection: for a view whose documents are events, of which none may be missing between
        two others.
    """

    name: str
    version: int
    key: Callable[[RecordedEvent], str]
    handlers: Mapping[type[Event], Apply]
    ignored: Collection[type[Event]] = ()
    creates: Collection[type[Event]] = ()
    indexes: Sequence[Index] = field(default=())
    parks: bool = True

    @property
    def id(self) -> str:
        """Name and version; the checkpoint and the documents are stored under it."""
        return projection_id(self.name, self.version)

    def key_of(self, recorded: RecordedEvent) -> str:
        """The key of the document that `recorded` belongs to.

        Raises:
            CannotApply: `key` raised.

        """
        try:
            return self.key(recorded)
        except Exception as error:
            raise CannotApply(self.id, recorded, error) from error

    def evolve(self, document: Document | None, recorded: RecordedEvent) -> Document | None:
        """The document after `recorded`, whose type must be in `handlers`.

        Raises:
            CannotApply: its handler raised.

        """
        event_class = type(recorded.event)
        before = None if event_class in self.creates else document
        try:
            return self.handlers[event_class](before, recorded, recorded.event)
        except Exception as error:
            raise CannotApply(self.id, recorded, error) from error

    def keyed(self, events: Iterable[RecordedEvent]) -> list[Keyed]:
        """Those of `events` that this projection handles, each with the key of its document.

        Raises:
            CannotApply: `key` raised.

        """
        return [(self.key_of(each), each) for each in events if type(each.event) in self.handlers]

    def keys_to_load(self, keyed: Iterable[Keyed]) -> set[str]:
        """The keys of the documents that a fold of these events, in log order, needs."""
        first: dict[str, type[Event]] = {}
        for key, recorded in keyed:
            first.setdefault(key, type(recorded.event))
        return {key for key, event_class in first.items() if event_class not in self.creates}

    def unhandled_events(self, event_classes: Iterable[type[Event]]) -> list[type[Event]]:
        """Those of `event_classes` that the projection neither handles nor ignores."""
        return [
            each for each in event_classes if each not in self.handlers and each not in self.ignored
        ]


def projection_id(name: str, version: int) -> str:
    """The `Projection.id` of the projection with this name and version."""
    return f"{name}_v{version}"


_NESTED = (dict, list)


def copied(value: Any) -> Any:
    """A deep copy of a document, or of a part of one."""
    # Without a call for each of the plain values, which most are.
    if isinstance(value, dict):
        return {
            name: copied(each) if isinstance(each, _NESTED) else each
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [copied(each) if isinstance(each, _NESTED) else each for each in value]
    return value


def existing(document: Document | None, recorded: RecordedEvent) -> Document:
    """`document`, which must exist.

    Raises:
        LookupError: it does not; the log lacks the event that creates it.

    """
    if document is None:
        raise LookupError(
            f"{recorded.event.event_type} at position {recorded.position} changes a document "
            "that does not exist."
        )
    return document


def by_aggregate(recorded: RecordedEvent) -> str:
    """A key for one document per aggregate: the aggregate's id."""
    return recorded.aggregate_id


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not applied, and the error if it was tried."""

    recorded: RecordedEvent
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Versioned:
    """A document and the position of the last event applied to it; None once it was deleted."""

    document: Document | None
    position: int


def fold(
    projection: Projection, stored: Mapping[str, Versioned], events: Iterable[RecordedEvent]
) -> dict[str, Versioned]:
    """The documents of `projection` that `events`, in log order, change, starting from `stored`.

    An event at or before the position of its document is skipped: it was applied before.

    Raises:
        CannotApply: an event cannot be applied.

    """
    return fold_keyed(projection, stored, projection.keyed(events))


def fold_keyed(
    projection: Projection, stored: Mapping[str, Versioned], keyed: Iterable[Keyed]
) -> dict[str, Versioned]:
    """Like `fold`, for events with known keys."""
    changed: dict[str, Versioned] = {}
    for key, recorded in keyed:
        _apply(projection, stored, changed, key, recorded)
    return changed


def fold_around(
    projection: Projection,
    stored: Mapping[str, Versioned],
    keyed: Iterable[Keyed],
    parked: Collection[str],
) -> tuple[dict[str, Versioned], dict[str, list[Refused]]]:
    """Like `fold_keyed`, but events of `parked` keys, and of a key after a refused one, wait.

    Also returns the events that wait, by key; the first of a key that is not in `parked` has the
    error that its handler raised.
    """
    changed: dict[str, Versioned] = {}
    waiting: dict[str, list[Refused]] = {}
    for key, recorded in keyed:
        if key in parked or key in waiting:
            waiting.setdefault(key, []).append(Refused(recorded))
            continue
        try:
            _apply(projection, stored, changed, key, recorded)
        except CannotApply as error:
            waiting[key] = [Refused(recorded, error)]
    return changed, waiting


def _apply(
    projection: Projection,
    stored: Mapping[str, Versioned],
    changed: dict[str, Versioned],
    key: str,
    recorded: RecordedEvent,
) -> None:
    before = changed.get(key) or stored.get(key)
    if before is None:
        document = projection.evolve(None, recorded)
    elif before.position < recorded.position:
        document = projection.evolve(before.document, recorded)
    else:
        return
    changed[key] = Versioned(document, recorded.position)
