"""The event store: group-committed appends, batched loads, the log."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
from pydantic_core import to_json

from app.adapters.batcher import Batcher
from app.adapters.postgres import receipts, statements
from app.adapters.postgres.append_health import AppendHealth
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.schema import check_complete, check_schema
from app.adapters.postgres.sessions import Sessions
from app.framework.eventsourcing import (
    Append,
    Appended,
    Claim,
    ClaimTaken,
    DuplicateCommand,
    EventRegistry,
    LogClock,
    Metadata,
    Purged,
    Receipt,
    RecordedEvent,
    RecordedSnapshot,
    Snapshot,
    UnreadableEvent,
    VersionConflict,
)
from app.framework.eventsourcing.signal import LogSignal
from app.framework.eventsourcing.store import LAST_VERSION, LOADED_AT_ONCE
from app.framework.observability.metrics import counter
from app.framework.request import IdempotencyKey
from app.framework.storage import StorageUnavailable

LARGEST_APPEND_BATCH = 128
LARGEST_LOAD_BATCH = 64
MAX_QUEUED = 4096

_Item = tuple[Append, str]
_Load = tuple[str, int, int, int]
"""A stream id, the version to load after, the version to load up to, and the snapshot version."""

_Loaded = tuple[RecordedSnapshot | None, Sequence[RecordedEvent]]

_NO_EDITION = 0

_APPENDS = counter(
    "appends_total",
    "Appends of one command each: appended, conflict (another process came first), claim-taken, "
    "duplicate (its idempotency key was used before).",
    "outcome",
).known("appended", "conflict", "claim-taken", "duplicate")
_EVENTS = counter("events_appended_total", "Events that were appended.")

_raw_decode = json.JSONDecoder().raw_decode


class PostgresEventStore:
    """Implements EventStore and LogSource.

    Appends that arrive while one is under way queue, and go out in one call with one commit: group
    commit. That compensates for the lock that keeps positions dense.
    """

    name = "postgresql"

    def __init__(self, dsn: str, registry: EventRegistry, signal: LogSignal | None = None) -> None:
        """Connect at the first use. `signal` may connect the log to other processes."""
        self._registry = registry
        sessions = Sessions(dsn)
        self._appending = Connection(sessions)
        self._loading = Connection(sessions)
        self._reading = Connection(sessions)
        self._append_health = AppendHealth(self._appending)
        self._signal = signal or LogSignal()
        self._appends = Batcher[_Item, Appended](
            "appends",
            self._append_batch,
            storage="PostgreSQL",
            largest=LARGEST_APPEND_BATCH,
            max_queued=MAX_QUEUED,
        )
        self._loads = Batcher[_Load, _Loaded](
            "loads",
            self._load_batch,
            storage="PostgreSQL",
            largest=LARGEST_LOAD_BATCH,
            max_queued=MAX_QUEUED,
        )
        self._receipts = Batcher[str, Receipt | None](
            "look-ups of idempotency keys",
            self._find_receipts,
            storage="PostgreSQL",
            largest=LARGEST_LOAD_BATCH,
            max_queued=MAX_QUEUED,
        )

    async def check(self) -> None:
        """Raises SchemaBehind, too, if migrations are missing, and ImportUnfinished."""
        await check_schema(self._reading)
        await check_complete(self._reading)

    async def close(self) -> None:
        await self._appends.close()
        await self._loads.close()
        await self._receipts.close()
        for each in (self._appending, self._loading, self._reading):
            await each.close()

    async def append(self, append: Append) -> Appended:
        return await self._appends.submit((append, self._encode(append)))

    async def load(
        self, stream_id: str, *, after_version: int = 0, up_to_version: int = LAST_VERSION
    ) -> Sequence[RecordedEvent]:
        load = (stream_id, after_version, up_to_version, _NO_EDITION)
        _, events = await self._loads.submit(load)
        return events

    async def load_from_snapshot(
        self,
        stream_id: str,
        *,
        snapshot_version: int,
        after_version: int = 0,
        up_to_version: int = LAST_VERSION,
    ) -> tuple[RecordedSnapshot | None, Sequence[RecordedEvent]]:
        return await self._loads.submit((stream_id, after_version, up_to_version, snapshot_version))

    async def receipt(self, key: str) -> Receipt | None:
        return await self._receipts.submit(key)

    async def check_appends(self) -> None:
        await self._append_health.check()

    async def purge_receipts(self, *, marks: int, interval: timedelta) -> Purged:
        return await receipts.purge(self._reading, marks=marks, interval=interval)

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        known = self._signal.position
        rows = await self._reading.fetch(statements.READ, after, limit)
        end = rows[-1]["position"] if rows else after
        if len(rows) < limit and known > end:
            # The log was restored to an earlier state. Else readers would never wait again.
            self._signal.set_back(known, end)
        return [self._recorded(row) for row in rows]

    async def head(self) -> int:
        rows = await self._reading.fetch(statements.HEAD)
        position: int = rows[0]["position"]
        return position

    async def identity(self) -> str:
        rows = await self._reading.fetch(statements.IDENTITY)
        identity: str = rows[0]["identity"]
        return identity

    async def clock(self) -> LogClock:
        """The clock is that of PostgreSQL."""
        rows = await self._reading.fetch(statements.CLOCK)
        return LogClock(*rows[0])

    async def wait(self, *, after: int, seconds: float) -> None:
        await self._signal.wait(after=after, seconds=seconds)

    async def _append_batch(self, items: Sequence[_Item]) -> list[Appended | Exception]:
        batch = f"[{','.join(text for _, text in items)}]"
        try:
            rows = await self._appending.fetch(statements.APPEND, batch)
        except StorageUnavailable:
            self._append_health.has_failed()
            raise
        except asyncpg.PostgresError as error:
            if len(items) == 1:
                return [error]
            # One item made PostgreSQL refuse the batch: sent one by one, it fails alone.
            return [(await self._append_batch([item]))[0] for item in items]
        self._append_health.has_succeeded()
        outcomes = [_counted(append, row) for (append, _), row in zip(items, rows, strict=True)]
        positions = (each.position for each in outcomes if isinstance(each, Appended))
        self._signal.grown_to(max(positions, default=0))
        return outcomes

    async def _load_batch(self, loads: Sequence[_Load]) -> list[_Loaded | Exception]:
        rows = await self._loading.fetch(statements.LOAD, *zip(*loads, strict=True), LOADED_AT_ONCE)
        by_item: list[list[asyncpg.Record]] = [[] for _ in loads]
        for row in rows:
            by_item[row["item"] - 1].append(row)
        loaded: list[_Loaded | Exception] = []
        for of_item in by_item:
            loaded.append(self._stream(of_item))
            if len(of_item) >= LOADED_AT_ONCE:
                await asyncio.sleep(0)  # many long streams at once are as long as one of them
        return loaded

    async def _find_receipts(self, keys: Sequence[str]) -> list[Receipt | None]:
        rows = await self._loading.fetch(statements.RECEIPTS, keys)
        found = {row["key"]: _receipt(*row) for row in rows}
        return [found.get(each) for each in keys]

    def _stream(self, rows: Sequence[asyncpg.Record]) -> _Loaded | Exception:
        kept = _snapshot(rows[0]) if rows and rows[0]["type"] is None else None
        try:
            return kept, [self._recorded(row) for row in (rows[1:] if kept else rows)]
        except UnreadableEvent as error:
            return error

    def _encode(self, append: Append) -> str:
        item: dict[str, Any] = {
            "stream_id": append.stream_id,
            "expected_version": append.expected_version,
            "metadata": append.metadata.as_data(),
            "events": [
                {"type": each.type, "schema_version": each.schema_version, "data": each.data}
                for each in map(self._registry.encode, append.events)
            ],
        }
        if append.claims:
            item["claims"] = [{"scope": each.scope, "key": each.key} for each in append.claims]
        if append.releases:
            item["releases"] = [{"scope": each.scope, "key": each.key} for each in append.releases]
        if append.idempotency_key:
            key = append.idempotency_key
            item["idempotency_key"] = {"value": key.value, "fingerprint": key.fingerprint}
        if append.snapshot:
            snapshot = append.snapshot
            item["snapshot"] = {"edition": snapshot.version, "data": snapshot.data}
        # Faster than `json.dumps`, and the same for what JSON has.
        return to_json(item, inf_nan_mode="constants").decode()

    def _recorded(self, row: asyncpg.Record) -> RecordedEvent:
        position, data = row["position"], _data(row["data"])
        return RecordedEvent(
            position=position,
            stream_id=row["stream_id"],
            version=row["version"],
            event=self._registry.decode_at(position, row["type"], row["schema_version"], data),
            metadata=Metadata.from_data(_data(row["metadata"])),
            recorded_at=row["recorded_at"],
        )


def _data(text: str) -> Any:
    # PostgreSQL's text of a jsonb has no blanks around it.
    data, _ = _raw_decode(text)
    return data


def _snapshot(row: asyncpg.Record) -> RecordedSnapshot:
    return RecordedSnapshot(
        Snapshot(row["schema_version"], _data(row["data"])),
        row["version"],
        row["position"],
        row["recorded_at"],
    )


def _receipt(key: str, fingerprint: str, stream_id: str, version: int) -> Receipt:
    return Receipt(IdempotencyKey(key, fingerprint), stream_id, version)


def _counted(append: Append, row: asyncpg.Record) -> Appended | Exception:
    outcome: str = row["outcome"]
    _APPENDS.of(outcome).value += 1
    if outcome == "appended":
        _EVENTS.of().value += len(append.events)
    return _outcome(append, row)


def _outcome(append: Append, row: asyncpg.Record) -> Appended | Exception:
    match row["outcome"]:
        case "appended":
            return Appended(row["at_version"], row["at_position"], row["at_time"])
        case "conflict":
            return VersionConflict(append.stream_id, append.expected_version, row["at_version"])
        case "claim-taken":
            return ClaimTaken(Claim(row["claim_scope"], row["claim_key"]))
        case "duplicate":
            assert append.idempotency_key
            key, done = append.idempotency_key.value, ("done_as", "done_on", "at_version")
            return DuplicateCommand(_receipt(key, *(row[each] for each in done)))
        case other:
            raise LookupError(f"append_events_v2 answered with an outcome of its own: {other!r}")
