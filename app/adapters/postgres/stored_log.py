"""The log in its stored form, for export and import."""

import json
from collections.abc import Sequence

import asyncpg

from app.adapters.postgres import statements
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.import_statements import (
    ADD_STREAMS,
    BEGIN_IMPORT,
    DISCARD_IMPORT,
    FINISH_IMPORT,
    HOLDERS,
    IMPORT_PLACE,
    IMPORTED_UP_TO,
    READ_STORED,
    READ_STREAMS,
)
from app.adapters.postgres.schema import check_complete, check_schema
from app.adapters.postgres.sessions import Sessions
from app.framework.eventsourcing.archive import (
    AnotherImport,
    CannotImport,
    Held,
    ImportPlace,
    StoredEvent,
)


class PostgresStoredLog:
    """Implements StoredLog. An import holds no lock between its calls."""

    name = "postgresql"

    def __init__(self, dsn: str) -> None:
        """Connect at the first use."""
        self._connection = Connection(Sessions(dsn))

    async def check(self, *, unfinished: bool = False) -> None:
        """Return if the schema is up to date and, unless `unfinished`, no import is unfinished.

        Raises:
            StorageNotReady: it is not, or one is.
            StorageUnavailable: PostgreSQL does not answer.

        """
        await check_schema(self._connection)
        if not unfinished:
            await check_complete(self._connection)

    async def close(self) -> None:
        await self._connection.close()

    async def identity(self) -> str:
        [row] = await self._connection.fetch(statements.IDENTITY)
        return str(row["identity"])

    async def head(self) -> int:
        [row] = await self._connection.fetch(statements.HEAD)
        return int(row["position"])

    async def read_stored(self, *, after: int, limit: int) -> Sequence[StoredEvent]:
        rows = await self._connection.fetch(READ_STORED, after, limit)
        return [StoredEvent(*row) for row in rows]

    async def begin_import(self, identity: str, position: int) -> ImportPlace:
        mark = _mark(identity, position)
        await self._connection.fetch(BEGIN_IMPORT, mark)
        rows = await self._connection.fetch(IMPORT_PLACE, mark)
        if not rows:
            raise CannotImport(
                "DATABASE_URL: the log has events already; import into an empty one."
            )
        [(is_this, *place)] = rows
        if not is_this:
            raise CannotImport(
                "DATABASE_URL: the import of another file is unfinished; import that one, or make "
                "a new database."
            )
        return ImportPlace(*place)

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        before = events[0].position - 1
        records = [_record(each) for each in events]
        try:
            is_ours = await self._connection.copy(
                "events", records, given=IMPORTED_UP_TO, arguments=[before]
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "events_stream_version":
                raise AnotherImport from error
            raise CannotImport(f"{_between(events)} repeat a version of their stream.") from error
        except asyncpg.PostgresError as error:
            # Its message may quote the event.
            refusal = f"PostgreSQL refuses {_between(events)} (SQLSTATE {error.sqlstate})."
            raise CannotImport(refusal) from error
        if not is_ours:
            raise AnotherImport

    async def read_streams(
        self, *, after: str, after_version: int, limit: int
    ) -> Sequence[StoredEvent]:
        rows = await self._connection.fetch(READ_STREAMS, after, after_version, limit)
        return [StoredEvent(*row) for row in rows]

    async def add_streams(self, streams: Sequence[Held]) -> None:
        claims = [
            (claim.scope, claim.key, held.stream_id) for held in streams for claim in held.claims
        ]
        scopes, keys, holders = zip(*claims, strict=True) if claims else ((), (), ())
        ids, versions = [each.stream_id for each in streams], [each.version for each in streams]
        try:
            rows = await self._connection.fetch(ADD_STREAMS, ids, versions, scopes, keys, holders)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "claims_pkey":
                raise AnotherImport from error
            raise await self._conflict(claims) from error
        if len(rows) != len(streams):
            raise AnotherImport

    async def _conflict(self, claims: Sequence[tuple[str, str, str]]) -> Exception:
        """Says which two streams hold one claim; its key may be personal."""
        scopes, keys = [scope for scope, *_ in claims], [key for _, key, _ in claims]
        rows = await self._connection.fetch(HOLDERS, scopes, keys)
        holders = {(scope, key): stream_id for scope, key, stream_id in rows}
        for scope, key, stream_id in claims:
            if (other := holders.setdefault((scope, key), stream_id)) != stream_id:
                return CannotImport(f"The streams {other} and {stream_id} hold one {scope}.")
        return AnotherImport()

    async def finish_import(self, identity: str) -> None:
        if not await self._connection.fetch(FINISH_IMPORT, identity):
            raise AnotherImport

    async def discard_import(self) -> None:
        await self._connection.fetch(DISCARD_IMPORT)


def _mark(identity: str, position: int) -> str:
    return json.dumps({"identity": identity, "position": position})


def _record(event: StoredEvent) -> tuple[object, ...]:
    return (
        event.position,
        event.stream_id,
        event.version,
        event.type,
        event.schema_version,
        event.data,
        event.metadata,
        event.recorded_at,
    )


def _between(events: Sequence[StoredEvent]) -> str:
    return f"events between positions {events[0].position} and {events[-1].position}"
