"""Imports into PostgreSQL, and the processes that are started meanwhile."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from app.adapters.postgres import ImportUnfinished, PostgresEventStore, PostgresStoredLog
from app.framework.eventsourcing.archive import FIRST_STREAM, CannotImport, ImportPlace
from app.framework.storage import StorageUnavailable
from tests.contract.imported import EVENTS, OTHER, STREAMS, event
from tests.contract.noted import REGISTRY


@pytest.fixture
def refuses() -> Callable[[], contextlib.AbstractContextManager[Any]]:
    """Expects that a process does not start on an unfinished import."""
    return lambda: pytest.raises(
        ImportUnfinished,
        match=r"^DATABASE_URL: an import has come to position 2 of 5; run `python -m app import ",
    )


async def test_no_process_starts_on_an_unfinished_import(postgres_url, refuses):
    """Until it is complete; only the import itself may go on."""
    store, log = PostgresEventStore(postgres_url, REGISTRY), PostgresStoredLog(postgres_url)
    try:
        await store.check()
        await log.begin_import(OTHER, 5)
        await log.add_events(EVENTS[:2])
        with refuses():
            await store.check()
        with refuses():
            await log.check()
        await log.check(unfinished=True)
        with pytest.raises(StorageUnavailable):
            await store.check_appends()
        await log.add_events(EVENTS[2:])
        await log.add_streams(STREAMS)
        await log.finish_import(OTHER)
        await store.check()
        await store.check_appends()
    finally:
        await store.close()
        await log.close()


@pytest.fixture
async def connection(postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """A connection of an administrator."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


@pytest.mark.parametrize("function", ["append_events", "append_events_v1", "append_events_v2"])
async def test_no_process_appends_to_an_unfinished_import(postgres_url, connection, function):
    """Nor records a key, however old it is: it takes the error for a server that is read-only."""
    log = PostgresStoredLog(postgres_url)
    await log.begin_import(OTHER, 5)
    item = {"stream_id": "note-z", "expected_version": 0, "metadata": {}, "events": []}
    item["idempotency_key"] = {"value": "key", "fingerprint": "print"}
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await connection.fetch(f"select * from {function}($1::jsonb)", json.dumps([item]))
    await log.discard_import()
    [row] = await connection.fetch(f"select * from {function}($1::jsonb)", json.dumps([item]))
    assert row["outcome"] == "appended"
    await log.close()


@pytest.mark.parametrize("data", ['{"text": "\\u0000"}', '{"text": "\\ud800"}'])
async def test_what_postgresql_cannot_store_is_refused(postgres_url, data):
    """With the place, and nothing of the event."""
    log = PostgresStoredLog(postgres_url)
    await log.begin_import(OTHER, 5)
    with pytest.raises(CannotImport, match=r"refuses events between positions 1 and 2 \(SQLSTATE "):
        await log.add_events([EVENTS[0], event(2, "note-a", 1, data=data)])
    assert await log.begin_import(OTHER, 5) == ImportPlace(0, FIRST_STREAM, 0)
    await log.close()


async def test_appends_under_way_come_before_an_import_or_after_it(postgres_url, connection):
    """An import that begins meanwhile waits, and finds them."""
    log = PostgresStoredLog(postgres_url)
    item = {"stream_id": "note-z", "expected_version": 0, "metadata": {}}
    item["events"] = [{"type": "Noted", "schema_version": 1, "data": {}}]
    async with connection.transaction():
        await connection.fetch("select * from append_events_v1($1::jsonb)", json.dumps([item]))
        beginning = asyncio.create_task(log.begin_import(OTHER, 5))
        done, _ = await asyncio.wait([beginning], timeout=0.2)
        assert not done
    with pytest.raises(CannotImport):
        await beginning
    await log.close()
