"""What a stream of tens of thousands of events costs whoever has to do with it."""

import asyncio
import contextlib
import gc
import time

import pytest

from app.eventsourcing import Append, IdempotencyKey, idempotent
from tests.unit.eventsourcing.shelf import Labelled, MeddledStore, new_store, process, put

LONG = 60_000
HELD_SECONDS = 0.05


@pytest.fixture
async def store():
    """A shelf with one thing on it, put there under a key, and a store that notes what is asked."""
    store = MeddledStore(new_store())
    with idempotent(IdempotencyKey("first", "")):
        await process(store).transact("a", put("first"))
    return store


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
    with idempotent(IdempotencyKey("first", "")) as command:
        stored = await process(store).transact("a", put("first"))

    assert command.replayed
    assert (stored.version, stored.state.events) == (1, 1)
    assert store.loaded - before == 1


async def test_a_repeat_goes_on_from_what_is_remembered(store):
    """Where that is older than the first try."""
    elsewhere = process(store)
    await elsewhere.transact("a", put("second"))
    with idempotent(IdempotencyKey("third", "")):
        await process(store).transact("a", put("third"))
    store.loads.clear()

    with idempotent(IdempotencyKey("third", "")) as command:
        stored = await elsewhere.transact("a", put("third"))

    assert command.replayed
    assert stored.version == 3
    assert store.loads == [("shelf-a", 2)]


async def test_a_long_stream_does_not_hold_the_loop(store):
    """Neither when it is loaded for a command, nor for a repeat of its last one."""
    await grow(store, LONG)
    async with longest_turn() as longest:
        with idempotent(IdempotencyKey("last", "")):
            stored = await process(store).transact("a", put("last"))
        with idempotent(IdempotencyKey("last", "")) as command:
            again = await process(store).transact("a", put("last"))

    assert command.replayed
    assert again == stored
    assert stored.version == LONG + 1
    assert longest[0] < HELD_SECONDS
