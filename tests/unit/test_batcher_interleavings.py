"""Every waiter of a batcher hears of its own, whatever comes between."""

import asyncio
import contextlib
import random

import pytest

from app.adapters.batcher import Batcher
from app.framework.storage import Overloaded, StorageUnavailable
from tests.unit.batching import answers


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("concurrency", [1, 2, 3])
async def test_no_waiter_is_lost(seed, concurrency):
    """Whatever the interleaving of submissions, failures and cancellations, each is answered."""
    chance = random.Random(seed)
    largest = chance.randint(1, 5)
    in_flight = 0

    async def call(items):
        nonlocal in_flight
        in_flight += 1
        assert in_flight <= concurrency
        assert 0 < len(items) <= largest
        for _ in range(chance.randint(0, 3)):
            await asyncio.sleep(0)
        in_flight -= 1
        match chance.randint(0, 9):
            case 0:
                raise StorageUnavailable("Tens", "gone")
            case 1:
                raise ValueError("no")
        return [KeyError(each) if each % 7 == 0 else 10 * each for each in items]

    batcher = Batcher[int, int](
        "tens", call, storage="Store", largest=largest, max_queued=8, concurrency=concurrency
    )

    async def answer(item):
        if item % 7:
            return await batcher.submit(item)
        with pytest.raises(KeyError, match=f"^{item}$"):
            await batcher.submit(item)
        return 10 * item

    async def client(number):
        for item in range(number, number + 20):
            with contextlib.suppress(Overloaded, StorageUnavailable, ValueError, TimeoutError):
                async with asyncio.timeout(0 if chance.random() < 0.1 else None):
                    assert await answer(item) == 10 * item
            if chance.random() < 0.5:
                await asyncio.sleep(0)

    await answers(*(client(100 * each) for each in range(12)))
    await answers(batcher.close())
