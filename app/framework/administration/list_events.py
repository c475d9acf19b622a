"""List events for people who look at the log: with what is in them, or without."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from app.framework.administration.read_log import READ_AT_ONCE, READS, LoggedEvent, LoggedStreams
from app.framework.eventsourcing import EventRegistry, RecordedEvent
from app.framework.eventsourcing.store import LOADED_AT_ONCE
from app.framework.mediator import Query
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class EventList:
    """Events in the order of the log, and where to go on.

    position: what comes later is to be read after it.
    version: the same for a stream.
    """

    items: Sequence[LoggedEvent]
    position: int
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Selection(Query[EventList]):
    """Which events to list, up to `limit`.

    after: those after this position; None for the last ones.
    after_version: of a stream, those after this version.
    """

    after: int | None = None
    event_type: str | None = None
    stream_id: str | None = None
    after_version: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListEvents(_Selection):
    """Events without what is in them.

    With a type it looks through 10,000 events at a time, from `after` or before the end.
    """


@dataclass(frozen=True, slots=True)
class InspectEvents(_Selection):
    """As `ListEvents`, with what is in the events."""


class ListEventsHandler:
    """Raises UnreadableEvent."""

    def __init__(self, store: LoggedStreams, registry: EventRegistry) -> None:
        self._store = store
        self._registry = registry

    async def __call__(self, query: ListEvents | InspectEvents, _: RequestContext) -> EventList:
        with_data = isinstance(query, InspectEvents)
        found = await (self._of_stream(query) if query.stream_id else self._of_log(query))
        events, position, version = found
        items = [LoggedEvent.of(each, self._registry, with_data=with_data) for each in events]
        return EventList(items, position, version)

    async def _of_log(self, query: _Selection) -> tuple[Sequence[RecordedEvent], int, int]:
        limit, after = query.limit, query.after
        if after is None:
            looked_at = READ_AT_ONCE * READS if query.event_type else limit
            after = max(0, await self._store.head() - looked_at)
        at_once = READ_AT_ONCE if query.event_type else limit
        # Of the last events the later ones stay.
        found: deque[RecordedEvent] = deque(maxlen=limit if query.after is None else None)
        for _ in range(READS):
            events = await self._store.read(after=after, limit=at_once)
            for each in events:
                after = each.position
                if query.event_type in (None, each.event.event_type):
                    found.append(each)
                    if query.after is not None and len(found) == limit:
                        return [*found], after, 0
            if len(events) < at_once:
                break
        return [*found], after, 0

    async def _of_stream(self, query: _Selection) -> tuple[Sequence[RecordedEvent], int, int]:
        assert query.stream_id is not None
        found: deque[RecordedEvent] = deque(maxlen=query.limit if query.after is None else None)
        position, version = query.after or 0, query.after_version
        while True:
            events = await self._store.load(query.stream_id, after_version=version)
            for each in events:
                version = each.version
                if each.position <= (query.after or 0):
                    continue
                position = each.position
                if query.event_type in (None, each.event.event_type):
                    found.append(each)
                    if query.after is not None and len(found) == query.limit:
                        return [*found], position, version
            if len(events) < LOADED_AT_ONCE:
                return [*found], position, version
