"""What every event store promises though its clock is wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.postgres import PostgresEventStore
from app.framework.eventsourcing import Append, ClockWatch, DuplicateCommand, keep_purging
from app.framework.eventsourcing.retention import MARK_INTERVAL, PURGE_SECONDS, RECEIPTS_KEPT_MARKS
from app.framework.request import IdempotencyKey
from tests.contract.clocks import Clock
from tests.contract.noted import REGISTRY, Noted, Store, note
from tests.following import until

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RETENTION = {"marks": RECEIPTS_KEPT_MARKS, "interval": MARK_INTERVAL}


@pytest.fixture
async def clock(url) -> AsyncIterator[Clock]:
    """The clock of the store under test."""
    connection = await asyncpg.connect(url) if url else None
    made = Clock(connection)
    await made.install()
    yield made
    if connection:
        await connection.close()


@pytest.fixture
async def store(url, clock) -> AsyncIterator[Store]:
    """A store that looks at `clock`."""
    if url is None:
        yield MemoryEventStore(REGISTRY, clock.now)
    else:
        opened = PostgresEventStore(url, REGISTRY)
        yield opened
        await opened.close()


def keyed(key: str) -> Append:
    """An append of one event under a key."""
    return Append(f"note-{key}", 0, [Noted(key)], idempotency_key=IdempotencyKey(key, ""))


async def test_one_look_at_a_clock_that_is_ahead_forgets_no_key(store, clock, caplog):
    """However far, and however many processes look: a command is never carried out twice."""
    await store.append(keyed("a"))
    await store.purge_receipts(**RETENTION)
    await clock.put_ahead(25 * HOUR)
    for _ in range(40):
        assert (await store.purge_receipts(**RETENTION)).receipts == 0
    await clock.put_ahead(timedelta(0))
    purging = asyncio.create_task(keep_purging(store, every_seconds=60))
    await until(lambda: "behind its time" in caplog.text)
    purging.cancel()
    await asyncio.wait([purging])
    with pytest.raises(DuplicateCommand):
        await store.append(keyed("a"))


JUMPS = {
    "none": lambda _: timedelta(0),
    "ahead at once": lambda at: 365 * DAY if at < HOUR / 2 else timedelta(0),
    "ahead for a look": lambda at: 26 * HOUR if 10 * HOUR < at < 10.1 * HOUR else timedelta(0),
    "ahead for good": lambda at: 365 * DAY if at > 3 * HOUR else timedelta(0),
    "back for good": lambda at: -30 * DAY if at > 3 * HOUR else timedelta(0),
    "back for a while": lambda at: -5 * HOUR if 3 * HOUR < at < 9 * HOUR else timedelta(0),
}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())
async def test_a_key_is_kept_for_a_day_and_not_much_longer_whatever_the_clock_does(
    store, clock, jump
):
    """24 hours of real time at least; and forgotten some hours later, or they would pile up."""
    await store.purge_receipts(**RETENTION)
    await store.append(keyed("a"))
    at, kept_until = timedelta(0), None
    while kept_until is None and at < 3 * DAY:
        at += timedelta(seconds=PURGE_SECONDS)
        await clock.put_ahead(at + jump(at))
        await store.purge_receipts(**RETENTION)
        if at % HOUR == timedelta(0):
            await store.append(keyed(str(at // HOUR)))
        if at > 23.5 * HOUR and await store.receipt("a") is None:
            kept_until = at
    assert kept_until
    assert DAY <= kept_until < 2 * DAY


async def test_marks_do_not_pile_up(postgres_url):
    """There are as many as are needed."""
    store = PostgresEventStore(postgres_url, REGISTRY)
    for _ in range(RECEIPTS_KEPT_MARKS + 20):
        await store.purge_receipts(marks=RECEIPTS_KEPT_MARKS, interval=timedelta(0))
    await store.close()
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("select count(*) from receipt_marks") == (
        RECEIPTS_KEPT_MARKS + 1
    )
    await connection.close()


async def test_times_that_are_ahead_of_the_clock_are_said_and_measured(store, clock, caplog):
    """Once, with a figure, for as long as the clock has not caught up."""
    caplog.set_level(logging.INFO)
    watch = ClockWatch(store)
    await watch.look()
    await store.append(note("note-1", 0, "a"))
    await watch.look()
    assert (watch.ahead_seconds, caplog.messages) == (0, [])

    await clock.put_ahead(HOUR)
    await store.append(note("note-1", 1, "b"))
    await clock.put_ahead(timedelta(0))
    await store.append(note("note-1", 2, "c"))
    watch = ClockWatch(store)
    for _ in range(3):
        await watch.look()
        assert 3590 < watch.ahead_seconds <= 3600
    [warning] = caplog.messages
    assert "ahead of the clock" in warning

    first, second, third = await store.load("note-1")
    assert first.recorded_at < second.recorded_at == third.recorded_at
    assert second.recorded_at > datetime.now(UTC)

    await clock.put_ahead(HOUR + timedelta(seconds=5))
    await watch.look()
    assert watch.ahead_seconds == 0
    assert "has caught up" in caplog.messages[-1]


async def test_a_jump_of_the_clock_is_said_and_counted(store, clock, caplog):
    """By how much; the time that really passes is no jump."""
    watch = ClockWatch(store)
    skews = [timedelta(0), timedelta(0), 25 * HOUR, 25 * HOUR, -HOUR]
    for skew in skews:
        await clock.put_ahead(skew)
        await watch.look()
    assert watch.jumps == sum(before != after for before, after in pairwise(skews))
    ahead, back = [each for each in caplog.messages if "jumped" in each]
    assert "jumped by +90000.0 s" in ahead
    assert "jumped by -93600.0 s" in back
