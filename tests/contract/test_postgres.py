"""What the PostgreSQL event store promises beyond its ports: outages, poison, full queues."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import pytest

from app.adapters.postgres import PostgresEventStore, migrate
from app.adapters.postgres.event_store import MAX_QUEUED
from app.devtools.servers.postgres import Postgres
from app.framework.eventsourcing import Append, Event, EventRegistry
from app.framework.storage import Overloaded, StorageUnavailable
from tests.contract.test_postgres_migrations import PROMISED_SECONDS


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A note was taken."""

    event_type: ClassVar[str] = "Noted"

    text: str


def note(stream_id: str, *, version: int = 0, text: str = "a") -> Append:
    """An append of one event."""
    return Append(stream_id, version, [Noted(text)])


@pytest.fixture
async def store(postgres_url):
    """An event store on a database of the test's own."""
    opened = PostgresEventStore(postgres_url, EventRegistry([Noted]))
    yield opened
    await opened.close()


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, to be stopped."""
    # Not in pytest's folder, which each run of pytest closes to the account that the server has.
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    cluster = Postgres(home)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


async def on_server(server: Postgres) -> PostgresEventStore:
    """An event store on `server`."""
    assert server.url
    await asyncio.to_thread(migrate, server.url)
    return PostgresEventStore(server.url, EventRegistry([Noted]))


async def test_an_event_postgres_refuses_fails_alone(store):
    """A payload that jsonb cannot hold is refused, and those in the same batch are recorded."""
    outcomes = await asyncio.gather(
        *(store.append(note(f"note-{each}")) for each in range(3)),
        store.append(note("note-poison", text="\0")),
        *(store.append(note(f"note-{each}")) for each in range(3, 6)),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [asyncpg.UntranslatableCharacterError]
    assert await store.head() == 6


async def test_more_appends_than_may_wait_are_refused_at_once(store):
    """The queue is bounded: what does not fit is refused, what fits is recorded."""
    outcomes = await asyncio.gather(
        *(store.append(note(f"note-{each}")) for each in range(MAX_QUEUED + 10)),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, Overloaded)]
    assert len(refused) == 10
    assert await store.head() == MAX_QUEUED


async def test_many_appends_go_out_in_few_transactions(store, postgres_url):
    """256 appends at once take fewer commits than a tenth of that."""
    connection = await asyncpg.connect(postgres_url)
    await asyncio.gather(*(store.append(note(f"note-{each}")) for each in range(256)))
    # Every event carries the id of the transaction that wrote it.
    commits = await connection.fetchval("select count(distinct xmin::text) from events")
    await connection.close()
    assert commits <= 25


async def test_a_stopped_server_is_unavailable_and_comes_back(server):
    """Stopped: an error at once. Started again: the same store goes on, with all it recorded."""
    store = await on_server(server)
    appended = await store.append(note("note-1"))
    await asyncio.to_thread(server.stop)
    started = time.monotonic()
    for refused in (store.append(note("note-2")), store.load("note-1"), store.head()):
        with pytest.raises(StorageUnavailable, match="PostgreSQL"):
            await refused
    assert time.monotonic() - started < PROMISED_SECONDS

    await asyncio.to_thread(server.start)

    await store.append(note("note-2"))
    assert [each.position for each in await store.read(after=0, limit=9)] == [
        appended.position,
        appended.position + 1,
    ]
    await store.close()


async def test_a_server_that_does_not_answer_is_unavailable_in_time(server):
    """Frozen: all who wait, in the batch and behind it, hear of it within 5 s."""
    store = await on_server(server)
    await store.append(note("note-1"))
    await store.load("note-1")
    connection = await asyncpg.connect(server.url)
    backends = [
        row["pid"]
        for row in await connection.fetch(
            "select pid from pg_stat_activity where backend_type = 'client backend'"
            " and pid <> pg_backend_pid()"
        )
    ]
    await connection.close()
    pid = int((server._data / "postmaster.pid").read_text().split()[0])
    for each in (pid, *backends):
        os.kill(each, signal.SIGSTOP)
    try:
        started = time.monotonic()
        calls: list[Coroutine[Any, Any, Any]]
        calls = [store.append(note(f"note-{each}")) for each in range(200)]
        calls += [store.load("note-1"), store.head()]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        taken = time.monotonic() - started
    finally:
        for each in (pid, *backends):
            os.kill(each, signal.SIGCONT)

    assert {type(each) for each in outcomes} == {StorageUnavailable}
    assert taken < PROMISED_SECONDS
    await store.append(note("note-new"))
    await store.close()


async def test_a_connection_that_was_cut_is_opened_again(store, postgres_url):
    """A backend that an administrator ends costs one answer, not the store."""
    await store.append(note("note-1"))
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await connection.close()
    for attempt in range(2):
        try:
            await store.append(note("note-2"))
            break
        except StorageUnavailable:
            assert attempt == 0
    assert await store.head() == 2


async def test_a_waiter_that_gives_up_leaves_the_connection_to_the_others(store):
    """Cancelling one of those who take turns on a connection disturbs no other."""
    reads = [asyncio.create_task(store.head()) for _ in range(8)]
    await asyncio.sleep(0)
    for each in reads[1::2]:
        each.cancel()
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert outcomes[0::2] == [0, 0, 0, 0]
    assert all(isinstance(each, asyncio.CancelledError) for each in outcomes[1::2])
