"""Maps stored event types to classes, and brings old payloads up to date."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.framework.eventsourcing.errors import (
    DuplicateEventType,
    UndecodableEvent,
    UnknownEvent,
    UnreadableEvent,
)
from app.framework.eventsourcing.events import Data, Event, event_data

Upcaster = Callable[[Data], Data]
"""Turns a payload of one schema version into one of the next; it may change its argument."""

Upcasters = Mapping[tuple[str, int], Upcaster]
"""Upcasters by the event type and the schema version they start from."""


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event in the form in which it is stored."""

    type: str
    schema_version: int
    data: Data


class EventRegistry:
    """Encodes events under their stable names, and decodes events stored by any version."""

    def __init__(
        self, event_classes: Iterable[type[Event]], upcasters: Upcasters | None = None
    ) -> None:
        """Register `event_classes`.

        Raises:
            DuplicateEventType: two classes claim one `event_type`.

        """
        self._classes: dict[str, type[Event]] = {}
        self._upcasters = dict(upcasters or {})
        for each in event_classes:
            other = self._classes.setdefault(each.event_type, each)
            if other is not each:
                raise DuplicateEventType(each.event_type, other, each)

    @property
    def event_classes(self) -> frozenset[type[Event]]:
        return frozenset(self._classes.values())

    def missing_upcasters(self) -> list[tuple[str, int]]:
        """Event types and old schema versions that have no upcaster."""
        return [
            (event_type, version)
            for event_type, each in self._classes.items()
            for version in range(1, each.schema_version)
            if (event_type, version) not in self._upcasters
        ]

    def encode(self, event: Event) -> EncodedEvent:
        """The stored form of `event`.

        Raises:
            UnknownEvent: its class is not registered.

        """
        event_class = type(event)
        if self._classes.get(event_class.event_type) is not event_class:
            raise UnknownEvent(event_class.event_type, event_class.schema_version)
        return EncodedEvent(event_class.event_type, event_class.schema_version, event_data(event))

    def decode(self, event_type: str, schema_version: int, data: Data) -> Event:
        """The event stored as `event_type`, with its payload upcast to the current schema version.

        Raises:
            UnknownEvent: no class is registered for the type, or an upcaster is missing, or
                the event was stored by a later version of the app than this one.
            UndecodableEvent: the payload does not fit the class, or an upcaster refuses it.

        """
        event_class = self._classes.get(event_type)
        if event_class is None or schema_version > event_class.schema_version:
            raise UnknownEvent(event_type, schema_version)
        try:
            for version in range(schema_version, event_class.schema_version):
                data = self._upcaster(event_type, version)(data)
            return event_class(**data)
        except UnknownEvent:
            raise
        except Exception as error:
            raise UndecodableEvent(event_type, schema_version, error) from error

    def decode_at(self, position: int, event_type: str, schema_version: int, data: Data) -> Event:
        """Like `decode`; errors name the position of the event in the log."""
        try:
            return self.decode(event_type, schema_version, data)
        except UnreadableEvent as error:
            raise error.at(position) from error.__cause__

    def _upcaster(self, event_type: str, version: int) -> Upcaster:
        upcaster = self._upcasters.get((event_type, version))
        if upcaster is None:
            raise UnknownEvent(event_type, version)
        return upcaster
