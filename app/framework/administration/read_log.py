"""Read the log, or one stream of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.framework.eventsourcing import (
    Data,
    EventLog,
    EventRegistry,
    EventStore,
    Metadata,
    RecordedEvent,
)
from app.framework.eventsourcing.store import LOADED_AT_ONCE
from app.framework.mediator import Query
from app.framework.projections import Page, Seek, decode_cursor, encode_cursor
from app.framework.request import RequestContext

READ_AT_ONCE = 1_000
READS = 10
"""How often a query reads on for events of a type: then its page ends, even if it is empty."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log, in the current form of its type; `data` is None if it is not shown."""

    position: int
    stream_id: str
    version: int
    type: str
    schema_version: int
    recorded_at: datetime
    data: Data | None
    metadata: Metadata

    @classmethod
    def of(
        cls, recorded: RecordedEvent, registry: EventRegistry, *, with_data: bool = True
    ) -> "LoggedEvent":
        """The event as it is listed."""
        encoded = registry.encode(recorded.event)
        return cls(
            position=recorded.position,
            stream_id=recorded.stream_id,
            version=recorded.version,
            type=encoded.type,
            schema_version=encoded.schema_version,
            recorded_at=recorded.recorded_at,
            data=encoded.data if with_data else None,
            metadata=recorded.metadata,
        )


@dataclass(frozen=True, slots=True)
class ReadLog(Query[Page[LoggedEvent]]):
    """Events after position `after`, in order; of one type only with `event_type`.

    A page may be short, or empty, before the last one: it ends after 10,000 events.
    """

    after: int = 0
    event_type: str | None = None
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ReadStream(Query[Page[LoggedEvent]]):
    """The events of a stream after version `after`, as of `ReadLog`; none if it does not exist."""

    stream_id: str
    after: int = 0
    event_type: str | None = None
    limit: int = 20
    cursor: str | None = None


class LoggedStreams(EventStore, EventLog, Protocol):
    """Streams, and the log of them."""


class ReadLogHandler:
    """Raises InvalidCursor and UnreadableEvent."""

    def __init__(self, store: LoggedStreams, registry: EventRegistry) -> None:
        self._store = store
        self._registry = registry

    async def of_log(self, query: ReadLog, _: RequestContext) -> Page[LoggedEvent]:
        at_once = READ_AT_ONCE if query.event_type else query.limit + 1
        return await self._page(
            query,
            lambda after: self._store.read(after=after, limit=at_once),
            at_once,
            place=lambda each: each.position,
            stream_id=None,
        )

    async def of_stream(self, query: ReadStream, _: RequestContext) -> Page[LoggedEvent]:
        return await self._page(
            query,
            lambda after: self._store.load(query.stream_id, after_version=after),
            LOADED_AT_ONCE,
            place=lambda each: each.version,
            stream_id=query.stream_id,
        )

    async def _page(
        self,
        query: ReadLog | ReadStream,
        read: Callable[[int], Awaitable[Sequence[RecordedEvent]]],
        at_once: int,
        *,
        place: Callable[[RecordedEvent], int],
        stream_id: str | None,
    ) -> Page[LoggedEvent]:
        """The page of `query`; `read` returns fewer than `at_once` events at the end only."""
        filters = {"stream_id": stream_id, "type": query.event_type, "after": query.after}
        after = query.after
        if query.cursor is not None:
            place_before = decode_cursor(query.cursor, filters, int).value
            assert isinstance(place_before, int)
            after = place_before
        found: list[LoggedEvent] = []

        def up_to(last: int) -> Page[LoggedEvent]:
            return Page(found, encode_cursor(Seek(last, ""), filters))

        for _ in range(READS):
            events = await read(after)
            for each in events:
                if query.event_type in (None, each.event.event_type):
                    if len(found) == query.limit:
                        return up_to(after)
                    found.append(LoggedEvent.of(each, self._registry))
                after = place(each)
            if len(events) < at_once:
                return Page(found, None)
        return up_to(after)
