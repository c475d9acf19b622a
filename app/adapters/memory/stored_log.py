"""The log in memory in its stored form, for export and import."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.adapters.memory.event_store import MemoryEventStore, Row
from app.framework.eventsourcing import Claim, EncodedEvent, Metadata
from app.framework.eventsourcing.archive import (
    FIRST_STREAM,
    AnotherImport,
    CannotImport,
    Held,
    ImportPlace,
    StoredEvent,
)


@dataclass(slots=True)
class _Import:
    """What an import has brought."""

    identity: str
    end: int
    rows: list[Row] = field(default_factory=list)
    places: set[tuple[str, int]] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)
    claims: dict[Claim, str] = field(default_factory=dict)


class MemoryStoredLog:
    """Implements StoredLog. The log is empty until an import is finished.

    Each call yields to other tasks before its work, as a call to a server would.
    """

    def __init__(self, store: MemoryEventStore) -> None:
        self._store = store
        self._import: _Import | None = None

    async def identity(self) -> str:
        return await self._store.identity()

    async def head(self) -> int:
        return await self._store.head()

    async def read_stored(self, *, after: int, limit: int) -> Sequence[StoredEvent]:
        await asyncio.sleep(0)
        end = after + limit
        rows = self._import.rows[after:end] if self._import else self._store.rows(after, end)
        return [_stored(position, row) for position, row in enumerate(rows, after + 1)]

    async def begin_import(self, identity: str, position: int) -> ImportPlace:
        await asyncio.sleep(0)
        if self._import is None:
            if not self._store.is_empty:
                raise CannotImport("The log has events already; import into an empty one.")
            self._import = _Import(identity, position)
            self._store.is_importing = True
        elif (self._import.identity, self._import.end) != (identity, position):
            raise CannotImport("The import of another file is unfinished.")
        versions = self._import.versions
        last = max(versions, default=FIRST_STREAM)
        return ImportPlace(len(self._import.rows), last, sum(versions.values()))

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        added = await self._unfinished()
        if events[0].position != len(added.rows) + 1:
            raise AnotherImport
        places = {(each.stream_id, each.version) for each in events}
        if len(places - added.places) < len(events):
            raise CannotImport("Two events have one version of a stream.")
        added.places |= places
        added.rows += map(_row, events)

    async def read_streams(
        self, *, after: str, after_version: int, limit: int
    ) -> Sequence[StoredEvent]:
        added = await self._unfinished()
        rows = sorted(enumerate(added.rows, 1), key=lambda each: each[1][:2])
        later = [each for each in rows if each[1][:2] > (after, after_version)]
        return [_stored(*each) for each in later[:limit]]

    async def add_streams(self, streams: Sequence[Held]) -> None:
        added = await self._unfinished()
        if any(each.stream_id in added.versions for each in streams):
            raise AnotherImport
        claims = dict(added.claims)
        for stream in streams:
            for claim in stream.claims:
                other = claims.setdefault(claim, stream.stream_id)
                if other != stream.stream_id:
                    raise CannotImport(
                        f"The streams {other} and {stream.stream_id} hold one {claim.scope}."
                    )
        added.claims = claims
        added.versions |= {each.stream_id: each.version for each in streams}

    async def finish_import(self, identity: str) -> None:
        added = await self._unfinished()
        self._store.fill(identity, added.rows, added.claims)
        await self.discard_import()

    async def discard_import(self) -> None:
        await asyncio.sleep(0)
        self._import = None
        self._store.is_importing = False

    async def _unfinished(self) -> _Import:
        await asyncio.sleep(0)
        if self._import is None:
            raise AnotherImport
        return self._import


def _stored(position: int, row: Row) -> StoredEvent:
    stream_id, version, encoded, metadata, recorded_at = row
    return StoredEvent(
        position,
        stream_id,
        version,
        encoded.type,
        encoded.schema_version,
        json.dumps(encoded.data),
        json.dumps(metadata.as_data()),
        recorded_at,
    )


def _row(event: StoredEvent) -> Row:
    encoded = EncodedEvent(event.type, event.schema_version, json.loads(event.data))
    metadata = Metadata.from_data(json.loads(event.metadata))
    return event.stream_id, event.version, encoded, metadata, event.recorded_at
