"""How PostgreSQL goes about the statements that every command waits for."""

import asyncpg
import pytest

from app.adapters.postgres import statements

SNAPSHOTS = """
insert into snapshots
select 'note-' || number, 10, number, 1, '{}', now() from generate_series(0, 9999) number
"""
EVENTS = """
insert into events
select number, 'note-' || number % 500, 1 + number / 500, 'Noted', 1, '{}', '{}', now()
from generate_series(0, 9999) number
"""


@pytest.fixture
async def connection(postgres_url):
    """A connection to 10,000 events and snapshots, which plans without knowing the arguments."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(EVENTS)
    await connection.execute(SNAPSHOTS)
    await connection.execute("set plan_cache_mode = force_generic_plan")
    yield connection
    await connection.close()


@pytest.mark.parametrize("analysed", [False, True])
async def test_streams_are_found_by_their_index(connection, analysed):
    """Whatever is known of the table: a scan of the whole log would grow with it."""
    if analysed:
        await connection.execute("analyze events, snapshots")
    await connection.execute(f"prepare loading (text[], integer[], integer[]) as {statements.LOAD}")
    plan = await connection.fetch("explain execute loading (array['note-1'], array[0], array[1])")
    text = "\n".join(line for (line,) in plan)
    assert "events_stream_version" in text
    assert "snapshots_pkey" in text
    assert "Seq Scan" not in text
