"""The limits of time nest, so that a caller hears within 5 s, and in the most telling words.

And those of one length share a timer.
"""

import asyncio
import gc
import weakref

import pytest

from app import bootstrap
from app.adapters.mongo import client as mongo
from app.adapters.postgres import connection as postgres
from app.time_limits import time_limit

PROMISED_SECONDS = 5.0
ROOM = 0.25
"""What a busy loop may need to pass a failure on."""


def test_a_message_ends_within_the_time_that_is_promised():
    """With room for the answer's way out."""
    assert bootstrap.MESSAGE_SECONDS + ROOM <= PROMISED_SECONDS


@pytest.mark.parametrize("adapter", [mongo, postgres])
def test_an_adapter_gives_up_before_the_message(adapter):
    """It can say which database is silent."""
    assert adapter.ANSWER_SECONDS + ROOM <= bootstrap.MESSAGE_SECONDS


def test_the_driver_gives_up_before_the_adapter():
    """It can say what is wrong with the connection."""
    assert mongo.DRIVER_SECONDS + ROOM <= mongo.ANSWER_SECONDS


def test_a_connection_is_given_up_before_the_call_that_waits_for_it():
    """So that the driver may try another server."""
    assert mongo.CONNECT_SECONDS + ROOM <= mongo.DRIVER_SECONDS


async def test_what_is_in_time_is_left_alone():
    """And the limit says that it was not reached."""
    async with time_limit(60) as limit:
        await asyncio.sleep(0)
    assert not limit.expired()


async def test_what_takes_too_long_is_cancelled():
    """Whoever set the limit gets a TimeoutError, and the limit says that it was reached."""
    ended = []

    async def never() -> None:
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with time_limit(0.01) as limit:
                await never()
    assert limit.expired()
    assert ended == ["cancelled"]


async def test_each_limit_ends_in_its_own_time():
    """Also those that begin after the one the timer was set for, whether it is there or not."""
    loop = asyncio.get_running_loop()
    taken = []

    async def never() -> None:
        started = loop.time()
        with pytest.raises(TimeoutError):
            async with time_limit(0.1):
                await asyncio.Future()
        taken.append(loop.time() - started)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            async with time_limit(0.1):
                await asyncio.sleep(0.03)
            tasks.create_task(never())
    # One that took the end of another for its own would be early by 0.03, or never come.
    assert len(taken) == 3
    assert min(taken) > 0.095


async def test_limits_of_one_length_share_a_timer(monkeypatch):
    """A timer each is what `time_limit` is there to spare."""
    loop = asyncio.get_running_loop()
    timers, call_at = [], loop.call_at

    def counting(when, *rest, **options):
        timers.append(when)
        return call_at(when, *rest, **options)

    monkeypatch.setattr(loop, "call_at", counting)
    for _ in range(100):
        async with time_limit(61), time_limit(62):
            pass
    assert len(timers) == 2


async def test_who_ends_late_is_told_once():
    """What still cleans up when the limit of another is reached is not cancelled again."""
    cancelled, wrong = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))

    async def slow_to_end() -> None:
        async with time_limit(0.02):
            try:
                await asyncio.Future()
            except asyncio.CancelledError as error:
                cancelled.append(error)
                await other
                raise

    async def later() -> None:
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with time_limit(0.02):
                await asyncio.Future()

    other = asyncio.create_task(later())
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            await slow_to_end()
    assert (len(cancelled), wrong) == (1, [])


def test_limits_do_not_keep_their_loop():
    """A loop that is done with goes, with the limits of time in it."""

    async def limited() -> None:
        async with time_limit(60):
            pass

    with asyncio.Runner() as runner:
        loop = weakref.ref(runner.get_loop())
        runner.run(limited())
    del runner
    gc.collect()
    assert loop() is None
