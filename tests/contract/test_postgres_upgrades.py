"""Databases that an earlier version filled, and processes of it that run on beside the newer."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from app.adapters.postgres import PostgresEventStore, migrate
from app.framework.eventsourcing import (
    Claim,
    ClaimTaken,
    DuplicateCommand,
    Receipt,
    VersionConflict,
)
from app.framework.eventsourcing.retention import MARK_INTERVAL
from app.framework.request import IdempotencyKey
from tests.contract.noted import REGISTRY, note

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


async def append_as_before(
    connection: asyncpg.Connection, stream: str, key: str | None = None, **rest
) -> asyncpg.Record:
    """Append an event the way revision 0001 does; the row that is answered."""
    item = {
        "stream_id": f"note-{stream}",
        "expected_version": 0,
        "metadata": {},
        "events": [{"type": "Noted", "schema_version": 1, "data": {"text": "a", "count": 0}}],
        **rest,
    }
    if key:
        item["idempotency_key"] = {"value": key, "fingerprint": "print"}
    [row] = await connection.fetch(OLD_APPEND, json.dumps([item]))
    return row


async def append(connection: asyncpg.Connection, stream: str, key: str | None = None) -> str:
    """Append an event the way revision 0001 does; the outcome."""
    row = await append_as_before(connection, stream, key)
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


@pytest.fixture
async def store(old, unmigrated_postgres_url) -> AsyncIterator[PostgresEventStore]:  # noqa: ARG001 - began first
    """The store of a process of this version, on the upgraded schema."""
    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    opened = PostgresEventStore(unmigrated_postgres_url, REGISTRY)
    await opened.check()
    yield opened
    await opened.close()


@pytest.fixture(params=["connected before the upgrade", "connected after it"])
async def older(request, old, store, unmigrated_postgres_url) -> AsyncIterator[asyncpg.Connection]:  # noqa: ARG001 - upgraded first
    """The connection of an older process, with its statements prepared already or not yet."""
    if request.param == "connected before the upgrade":
        yield old
    else:
        connection = await asyncpg.connect(unmigrated_postgres_url)
        yield connection
        await connection.close()


async def test_an_older_process_and_a_newer_one_share_a_stream(older, store):
    """Each sees the versions, claims and keys of the other, and refuses what it should."""
    claim = {"scope": "title", "key": "mine"}
    row = await append_as_before(older, "shared", "first", claims=[claim])
    assert (row["outcome"], row["at_version"], row["at_position"]) == ("appended", 1, 21)
    assert (await store.append(note("note-shared", 1, "b"))).position == 22
    row = await append_as_before(older, "shared", expected_version=1)
    assert (row["outcome"], row["at_version"]) == ("conflict", 2)
    row = await append_as_before(older, "shared", expected_version=2)
    assert (row["outcome"], row["at_version"], row["at_position"]) == ("appended", 3, 23)
    with pytest.raises(VersionConflict):
        await store.append(note("note-shared", 2, "c"))
    with pytest.raises(ClaimTaken):
        await store.append(note("note-other", 0, "d", claims=[Claim("title", "mine")]))
    with pytest.raises(DuplicateCommand):
        await store.append(
            note("note-shared", 3, "e", idempotency_key=IdempotencyKey("first", "print"))
        )
    await store.append(note("note-other", 0, "f", claims=[Claim("title", "theirs")]))
    row = await append_as_before(older, "third", claims=[{"scope": "title", "key": "theirs"}])
    assert (row["outcome"], row["claim_key"]) == ("claim-taken", "theirs")


async def test_older_and_newer_processes_append_at_once(older, store):
    """Neither waits for the other in vain, and positions stay dense."""

    async def as_before() -> list[int]:
        rows = [await append_as_before(older, f"before-{number}") for number in range(50)]
        return [row["at_position"] for row in rows]

    async def as_now(writer: int) -> list[int]:
        appends = [note(f"note-now-{writer}-{number}", 0, "a") for number in range(25)]
        return [(await store.append(each)).position for each in appends]

    async with asyncio.timeout(10):
        positions = await asyncio.gather(as_before(), *map(as_now, range(4)))
    assert sorted(itertools.chain(*positions)) == list(range(21, 171))
    assert [each.position for each in await store.read(after=20, limit=200)] == list(range(21, 171))


async def test_receipts_of_the_code_before_are_kept_and_expire(old, unmigrated_postgres_url):
    """They count as recorded when the schema was upgraded."""
    await asyncio.to_thread(migrate, unmigrated_postgres_url)
    store = PostgresEventStore(unmigrated_postgres_url, REGISTRY)
    await store.check()
    kept = Receipt(IdempotencyKey("key-3", "print"), "note-3", 1)
    assert await store.receipt("key-3") == kept
    at_once = MARK_INTERVAL * 0
    assert (await store.purge_receipts(marks=1, interval=at_once)).receipts == 0
    assert await append(old, "late", "late") == "appended"
    assert (await store.purge_receipts(marks=1, interval=at_once)).receipts == 20
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
