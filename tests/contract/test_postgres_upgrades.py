"""Databases that an earlier version filled, and processes of it that run on beside the newer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from app.adapters.postgres import PostgresEventStore, migrate
from app.eventsourcing import IdempotencyKey, Receipt
from app.eventsourcing.retention import MARK_INTERVAL
from tests.contract.noted import REGISTRY

ROOT = Path(__file__).parents[2]

# What a process at revision 0001 sends.
OLD_APPEND = "select * from append_events($1::jsonb)"
OLD_RECEIPTS = (
    "select key, fingerprint, stream_id, version from receipts where key = any($1::text[])"
)
OLD_PURGE = """
delete from receipts where key in (
    select key from receipts
    where recorded_at < clock_timestamp() - $1::interval
    order by recorded_at
    limit $2
)
returning 1
"""


async def go_to(url: str, revision: str) -> None:
    """Go up to `revision`, or down to it with a minus in front."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = url
    go = command.downgrade if revision.startswith("-") else command.upgrade
    await asyncio.to_thread(go, config, revision.removeprefix("-"))


async def append(connection: asyncpg.Connection, stream: str, key: str | None = None) -> str:
    """Append an event the way revision 0001 does; the outcome."""
    item = {
        "stream_id": f"note-{stream}",
        "expected_version": 0,
        "metadata": {},
        "events": [{"type": "Noted", "schema_version": 1, "data": {"text": "a", "count": 0}}],
    }
    if key:
        item["idempotency_key"] = {"value": key, "fingerprint": "print"}
    [row] = await connection.fetch(OLD_APPEND, json.dumps([item]))
    return row["outcome"]


@pytest.fixture
async def old(unmigrated_postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """The connection of a process at revision 0001, to a database with some data."""
    await go_to(unmigrated_postgres_url, "0001")
    connection = await asyncpg.connect(unmigrated_postgres_url)
    for number in range(20):
        assert await append(connection, f"{number}", f"key-{number}") == "appended"
    yield connection
    await connection.close()


async def test_an_older_process_runs_on_while_and_after_the_schema_is_upgraded(
    old, unmigrated_postgres_url
):
    """It appends under keys all the time, and none of its appends fails or waits for long."""
    upgraded = asyncio.create_task(asyncio.to_thread(migrate, unmigrated_postgres_url))
    slowest, number = 0.0, 0
    clock = asyncio.get_running_loop().time
    while not upgraded.done() or number < 50:
        began = clock()
        assert await append(old, f"new-{number}", f"new-{number}") == "appended"
        slowest = max(slowest, clock() - began)
        number += 1
    await upgraded
    assert slowest < 4
    assert await append(old, "again", "key-3") == "duplicate"
    assert len(await old.fetch(OLD_RECEIPTS, ["key-3", "new-3", "no"])) == 2
    assert await old.fetch(OLD_PURGE, MARK_INTERVAL, 5000) == []


async def test_receipts_of_the_code_before_are_kept_and_expire(old, unmigrated_postgres_url):
    """They count as recorded when the schema was upgraded."""
    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    store = PostgresEventStore(unmigrated_postgres_url, REGISTRY)
    await store.check()
    kept = Receipt(IdempotencyKey("key-3", "print"), "note-3", 1)
    assert await store.receipt("key-3") == kept
    at_once = MARK_INTERVAL * 0
    assert (await store.purge_receipts(marks=1, apart=at_once)).receipts == 0
    assert await append(old, "late", "late") == "appended"
    assert (await store.purge_receipts(marks=1, apart=at_once)).receipts == 20
    assert await store.receipt("late")
    await store.close()


async def test_a_log_keeps_its_identity_through_a_downgrade(old, unmigrated_postgres_url):
    """Read models name it; only a log that is made anew has another."""

    async def identity() -> str:
        return await old.fetchval("select identity::text from log_identity")

    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    first = await identity()
    await go_to(unmigrated_postgres_url, "-0001")
    assert await append(old, "between", "between") == "appended"
    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    assert await identity() == first
    assert await append(old, "after", "between") == "duplicate"

    await go_to(unmigrated_postgres_url, "-base")
    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    assert await identity() != first
