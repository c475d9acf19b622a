"""The limits of time nest, so that a caller hears within 5 s, and in the most telling words.

And those of one length share a timer.
"""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context

import pytest
import uvloop

from app import bootstrap
from app.adapters.mongo import client as mongo
from app.adapters.postgres import connection as postgres
from app.eventsourcing import Metadata, request_metadata
from app.time_limits import time_limit

PROMISED_SECONDS = 5.0
ROOM = 0.25
"""What a busy loop may need to pass a failure on."""

Run = Callable[[Callable[[], Awaitable[None]]], None]


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


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request) -> Iterator[Run]:
    """Runs a test in a loop of its own; what goes wrong in the loop's callbacks fails it."""
    wrong = []

    async def in_time(test: Callable[[], Awaitable[None]]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        async with asyncio.timeout(5):
            await test()

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda test: runner.run(in_time(test))
    assert wrong == []


def test_what_is_in_time_is_left_alone(run):
    """And the limit says that it was not reached."""

    async def in_time() -> None:
        async with time_limit(60) as limit:
            await asyncio.sleep(0)
        assert not limit.expired()

    run(in_time)


def test_what_takes_too_long_is_cancelled(run):
    """Whoever set the limit gets a TimeoutError, and the limit says that it was reached."""
    ended = []

    async def never() -> None:
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def too_long() -> None:
        with pytest.raises(TimeoutError):
            async with time_limit(0.01) as limit:
                await never()
        assert limit.expired()

    run(too_long)
    assert ended == ["cancelled"]


def test_each_limit_ends_in_its_own_time(run):
    """Also if the one that the timer was set for has ended long before."""
    taken = []

    async def never() -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        with pytest.raises(TimeoutError):
            async with time_limit(0.1):
                await asyncio.Future()
        taken.append(clock() - started)

    async def one_after_the_other() -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                async with time_limit(0.1):
                    await asyncio.sleep(0.03)
                tasks.create_task(never())

    run(one_after_the_other)
    # One that took the end of another for its own would be early by 0.03, or never come.
    assert len(taken) == 3
    assert min(taken) > 0.095


def test_limits_reached_together_all_end(run):
    """As many as began in the same moment."""

    async def never() -> None:
        with pytest.raises(TimeoutError):
            async with time_limit(0.01):
                await asyncio.Future()

    async def all_at_once() -> None:
        await asyncio.gather(*[never() for _ in range(100)])

    run(all_at_once)


def test_who_is_slow_to_end_is_told_once(run):
    """What still cleans up when the limit of another is reached is not cancelled again."""
    cancelled = []

    async def later() -> None:
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with time_limit(0.02):
                await asyncio.Future()

    async def slow_to_end(other: asyncio.Task[None]) -> None:
        async with time_limit(0.02):
            try:
                await asyncio.Future()
            except asyncio.CancelledError as error:
                cancelled.append(error)
                await other
                raise

    async def both() -> None:
        with pytest.raises(TimeoutError):
            await slow_to_end(asyncio.create_task(later()))

    run(both)
    assert len(cancelled) == 1


def test_limits_of_one_length_share_a_timer(monkeypatch):
    """A timer each is what `time_limit` is there to spare; and it is in the context of none."""
    contexts = []

    async def many() -> None:
        loop = asyncio.get_running_loop()
        call_at = loop.call_at

        def counting(when, callback, *, context):
            contexts.append(dict(context))
            return call_at(when, callback, context=context)

        monkeypatch.setattr(loop, "call_at", counting)
        for _ in range(100):
            async with time_limit(61), time_limit(62):
                pass

    def of_a_request() -> None:
        request_metadata.set(Metadata(correlation_id="of a request"))
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(many())

    copy_context().run(of_a_request)
    assert contexts == [{}, {}]


def test_limits_do_not_keep_their_loop():
    """A loop that is done with goes, with the limits of time in it."""

    async def limited() -> None:
        async with time_limit(60):
            pass

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        loop = weakref.ref(runner.get_loop())
        runner.run(limited())
    del runner
    gc.collect()
    assert loop() is None
