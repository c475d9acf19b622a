"""How PostgreSQL goes about the statements that every command waits for."""

import asyncpg
import pytest

from app.adapters.postgres import statements
from app.adapters.postgres.sessions import _SESSION

SNAPSHOTS = """
insert into snapshots
select 'note-' || number, 10, number, 1, '{}', now() from generate_series(0, 9999) number
"""
EVENTS = """
insert into events
select number, 'note-' || number % 500, 1 + number / 500, 'Noted', 1, '{}', '{}', now()
from generate_series($1::integer, $2::integer) number
"""
RECEIPTS = """
insert into receipts
select number::text, '', 'note-1', 1, now() from generate_series(0, 9999) number
"""


@pytest.fixture
async def connection(postgres_url):
    """A connection as the event store has it."""
    connection = await asyncpg.connect(postgres_url, server_settings=_SESSION)
    yield connection
    await connection.close()


async def plan_of(connection, statement: str, types: str, arguments: str) -> str:
    """How PostgreSQL goes about `statement`, which is prepared once."""
    if not await connection.fetch("select from pg_prepared_statements where name = 'this'"):
        await connection.execute(f"prepare this ({types}) as {statement}")
    plan = await connection.fetch(f"explain execute this ({arguments})")
    return "\n".join(line for (line,) in plan)


LOADING = (
    statements.LOAD,
    "text[], integer[], integer[], integer[], bigint",
    "array['note-1'], array[0], array[9], array[1], 200",
)


@pytest.mark.parametrize("analysed", [False, True])
async def test_streams_are_found_by_their_index(connection, analysed):
    """Whatever is known of the table: a scan of the whole log would grow with it."""
    await connection.execute(EVENTS, 0, 9999)
    await connection.execute(SNAPSHOTS)
    if analysed:
        await connection.execute("analyze events, snapshots")
    plan = await plan_of(connection, *LOADING)
    assert "events_stream_version" in plan
    assert "snapshots_pkey" in plan
    assert "Seq Scan" not in plan


async def test_streams_are_found_by_their_index_though_the_log_was_small_once(connection):
    """What is planned when reading all of it would be cheapest is carried out ever after."""
    await connection.execute(EVENTS, 0, 50)
    await connection.execute("analyze events, snapshots")
    assert "Seq Scan" not in await plan_of(connection, *LOADING)


@pytest.mark.parametrize(
    ("statement", "types", "arguments"),
    [
        (statements.READ, "bigint, bigint", "0, 2000"),
        (statements.RECEIPTS, "text[]", "array['1', '2']"),
        (statements.PURGE_RECEIPTS, "bigint, timestamptz, bigint", "5000, now(), 5000"),
    ],
    ids=["read", "receipts", "purge"],
)
async def test_no_statement_reads_all_of_a_table(connection, statement, types, arguments):
    """It would take the longer the more there is."""
    await connection.execute(EVENTS, 0, 9999)
    await connection.execute(RECEIPTS)
    await connection.execute("analyze events, receipts")
    assert "Seq Scan" not in await plan_of(connection, statement, types, arguments)
