"""What the PostgreSQL event store signals to readers of the log, also in other processes."""

import asyncio

import pytest

from app.adapters.postgres import PostgresEventStore
from app.framework.eventsourcing import EventRegistry, VersionConflict
from app.framework.eventsourcing.signal import LogSignal
from tests.contract.test_postgres import Noted, note


class Reported:
    """A store on a database of the test's own, and the positions that its signal reports."""

    def __init__(self, postgres_url: str) -> None:
        self.positions: list[int] = []
        self.signal = LogSignal(self.positions.append)
        self.store = PostgresEventStore(postgres_url, EventRegistry([Noted]), self.signal)


@pytest.fixture
async def reported(postgres_url):
    """Nothing is appended yet."""
    reported = Reported(postgres_url)
    yield reported
    await reported.store.close()


async def test_appends_that_go_out_together_are_one_signal(reported):
    """Of the last of them."""
    await asyncio.gather(*(reported.store.append(note(f"note-{each}")) for each in range(20)))
    assert reported.positions == [20]


async def test_an_append_that_is_refused_is_no_signal(reported):
    """The log has not grown."""
    await reported.store.append(note("note-1"))
    with pytest.raises(VersionConflict):
        await reported.store.append(note("note-1"))
    assert reported.positions == [1]


async def test_a_signal_is_set_back_by_a_log_that_was_restored(reported):
    """A reader at its end waits again, instead of reading without a pause."""
    await reported.store.append(note("note-1"))
    reported.signal.grown_to(200)
    assert await reported.store.read(after=1, limit=10) == []
    waiting = asyncio.create_task(reported.store.wait(after=1, seconds=60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await reported.store.append(note("note-2"))
    async with asyncio.timeout(5):
        await waiting


async def test_a_signal_is_set_back_to_the_end_that_a_read_finds(reported):
    """A projector reads the last event before its position again, so it finds one."""
    await reported.store.append(note("note-1"))
    await reported.store.append(note("note-2"))
    reported.signal.grown_to(200)
    assert len(await reported.store.read(after=1, limit=10)) == 1
    assert reported.signal.position == 2


async def test_a_signal_is_not_set_back_by_a_read_before_the_end(reported):
    """Nor by one that finds the end where the signal says it is."""
    for number in range(3):
        await reported.store.append(note(f"note-{number}"))
    for after, limit in ((0, 10), (0, 2), (2, 10), (3, 10), (7, 10)):
        await reported.store.read(after=after, limit=limit)
    assert reported.signal.position == 3
