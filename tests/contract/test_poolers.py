"""PostgreSQL behind a PgBouncer, in transaction and in session mode, and without one."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from app.adapters.postgres import PostgresEventStore, PostgresStoredLog, migrate, statements
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.sessions import Sessions
from app.framework.storage import StorageUnavailable
from tests.acceptance.fronts import needs
from tests.contract.imported import EVENTS, comparable, import_all
from tests.contract.noted import REGISTRY, Noted, note
from tests.pgbouncer import pgbouncer

ROOT = Path(__file__).parents[2]
STORES = 4

PROGRAM = """
import asyncio, itertools, sys
from app.adapters.postgres import PostgresEventStore
from tests.contract.noted import REGISTRY, note

async def main(url, name):
    store = PostgresEventStore(url, REGISTRY)
    await store.check()
    for version in itertools.count():
        await asyncio.gather(store.append(note(name, version, "a")), store.load(name), store.head())
        print(version, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""

needs_pgbouncer = needs("pgbouncer")
in_both_modes = pytest.mark.parametrize("mode", ["transaction", "session"])


async def opened(url: str) -> PostgresEventStore:
    """A store that has been checked."""
    store = PostgresEventStore(url, REGISTRY)
    await store.check()
    return store


@needs_pgbouncer
@in_both_modes
async def test_a_pooler_may_stand_before_postgres(unmigrated_postgres_url, mode):
    """Migrating, appending, loading and reading, by several stores at once, more than once each."""
    with pgbouncer(unmigrated_postgres_url, mode) as url:
        for _ in range(2):
            await asyncio.to_thread(migrate, url)
        stores = [await opened(url) for _ in range(STORES)]
        for version in range(10):
            await asyncio.gather(
                *(each.append(note(f"note-{n}", version, "a")) for n, each in enumerate(stores)),
                *(each.load("note-0") for each in stores),
                *(each.read(after=0, limit=100) for each in stores),
            )
        events = await stores[0].read(after=0, limit=100)
        loaded = await stores[1].load("note-0")
        for each in stores:
            await each.close()

    assert [each.position for each in events] == list(range(1, STORES * 10 + 1))
    assert [each.version for each in loaded] == list(range(1, 11))
    assert loaded[0].event == Noted("a")


@needs_pgbouncer
@in_both_modes
async def test_a_log_is_imported_through_a_pooler(postgres_url, mode):
    """Batch by batch, each in a session that may be another."""
    with pgbouncer(postgres_url, mode) as url:
        log = PostgresStoredLog(url)
        await log.check()
        await import_all(log)
        assert comparable(await log.read_stored(after=0, limit=9)) == comparable(EVENTS)
        await log.close()


@needs_pgbouncer
@in_both_modes
async def test_a_process_that_was_killed_behind_a_pooler_starts_again(postgres_url, mode):
    """Nothing of it is left in the sessions that the pooler hands on, however it went."""
    with pgbouncer(postgres_url, mode) as url:
        for name in ("note-1", "note-2", "note-3"):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, url, name, cwd=ROOT, stdout=subprocess.PIPE
            )
            assert process.stdout
            lines = [await process.stdout.readline() for _ in range(20)]
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            assert lines[-1] == b"19\n"
        store = await opened(url)
        events = await store.read(after=0, limit=1000)
        await store.close()

    assert [each.position for each in events] == list(range(1, len(events) + 1))
    assert {each.stream_id for each in events} == {"note-1", "note-2", "note-3"}


@needs_pgbouncer
@in_both_modes
async def test_settings_hold_behind_a_pooler_and_are_left_to_no_other_client(postgres_url, mode):
    """They are there for each statement of ours, and gone for the next client of the session."""
    with pgbouncer(postgres_url, mode) as url:
        connection = Connection(Sessions(url))
        ours = [
            (await connection.fetch(f"show {name}"))[0][0]
            for name in ("enable_seqscan", "transaction_isolation", "lock_timeout")
        ]
        await connection.close()
        others = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(2)]
        seen = [await each.fetchval("show enable_seqscan") for each in others]
        for each in others:
            await each.close()

    assert ours == ["off", "read committed", "3500ms"]
    assert seen == ["on", "on"]


@needs_pgbouncer
async def test_a_pooler_of_single_statements_is_refused_in_one_line(postgres_url):
    """No transaction is to be had of it, so none of the promises either."""
    with pgbouncer(postgres_url, "statement") as url:
        store = PostgresEventStore(url, REGISTRY)
        with pytest.raises(StorageUnavailable, match="statement pooling mode") as caught:
            await store.check()
        await store.close()
    assert len(str(caught.value).splitlines()) == 1


async def test_without_a_pooler_a_statement_is_prepared_once(postgres_url):
    """Directly, an append is one round trip: PostgreSQL knows the statement from the first time."""
    connection = Connection(Sessions(postgres_url))
    count = "select count(*) from pg_prepared_statements where statement like '%append_events%'"
    for _ in range(3):
        await connection.fetch(statements.APPEND, "[]")
    assert (await connection.fetch(count))[0][0] == 2  # that, and the one that counts
    [row] = await connection.fetch("show transaction_isolation")
    assert row[0] == "read committed"
    await connection.close()
