"""What a stream of tens of thousands of events costs whoever has to do with it."""

import asyncio
import contextlib
import gc
import time
from dataclasses import asdict, replace

import pytest

from app.framework.eventsourcing import Append, Snapshots
from app.framework.eventsourcing.store import LOADED_AT_ONCE
from app.framework.request import IdempotencyKey, RequestContext
from tests.unit.eventsourcing.shelf import Labelled, MeddledStore, Shelf, new_store, process, put

LONG = 20_000
HELD_SECONDS = 0.05


@pytest.fixture
async def store():
    """A shelf with one thing on it, put there under a key, and a store that notes what is asked."""
    store = MeddledStore(new_store())
    await process(store).transact("a", put("first"), under("first"))
    return store


def under(key):
    """The context of a command under a key."""
    return RequestContext(idempotency_key=IdempotencyKey(key, ""))


async def grow(store, versions):
    """Bring the shelf to this version."""
    while (at := (await store.store.head())) < versions:
        count = min(1000, versions - at)
        await store.store.append(Append("shelf-a", at, [Labelled(None)] * count))


@contextlib.asynccontextmanager
async def longest_turn():
    """How long of the processor a turn of the event loop took at most; garbage aside."""
    longest = [0.0]

    async def tick() -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest[0], before = max(longest[0], now - before), now

    ticking = asyncio.create_task(tick())
    gc.disable()
    try:
        yield longest
    finally:
        gc.enable()
        ticking.cancel()


async def test_a_repeat_is_answered_from_what_came_before_it(store):
    """A long stream behind the first try is not read."""
    await grow(store, 1000)
    before = store.loaded
    stored = await process(store).transact("a", put("first"), under("first"))

    assert stored.replayed
    assert (stored.version, stored.state.events) == (1, 1)
    assert store.loaded - before == 1


@pytest.mark.parametrize("events", [LOADED_AT_ONCE, LOADED_AT_ONCE + 1, 3 * LOADED_AT_ONCE - 1])
@pytest.mark.parametrize("snapshots", [None, Snapshots(1, asdict, lambda data: Shelf(**data))])
async def test_a_long_stream_is_loaded_whole(store, snapshots, events):
    """Some events at a time; a repeat, of the last but one, ends before the last."""
    await grow(store, events - 2)
    for each in ("last but one", "last"):
        await process(store).transact("a", put(each), under(each))
    there = process(store, snapshots=snapshots)

    again = await there.transact("a", put("last but one"), under("last but one"))
    assert (again.version, again.state.things) == (events - 1, ("first", "last but one"))
    stored = await there.transact("a", put("last"))
    assert (stored.version, stored.state.events) == (events, events)
    assert stored.state.things == ("first", "last but one", "last")


async def test_a_repeat_goes_on_from_what_is_remembered(store):
    """Where that is older than the first try."""
    elsewhere = process(store)
    await elsewhere.transact("a", put("second"))
    await process(store).transact("a", put("third"), under("third"))
    store.loads.clear()

    stored = await elsewhere.transact("a", put("third"), under("third"))

    assert stored.replayed
    assert stored.version == 3
    assert store.loads == [("shelf-a", 2)]


async def test_a_long_stream_does_not_hold_the_loop(store):
    """Neither when it is loaded for a command, nor for a repeat of its last one."""
    await grow(store, LONG)
    async with longest_turn() as longest:
        stored = await process(store).transact("a", put("last"), under("last"))
        again = await process(store).transact("a", put("last"), under("last"))

    assert again == replace(stored, replayed=True)
    assert stored.version == LONG + 1
    assert longest[0] < HELD_SECONDS
