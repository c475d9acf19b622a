"""Many small calls are made into few large ones, and every waiter hears of its own."""

import asyncio
from contextvars import ContextVar

import pytest

from app.adapters.batcher import Batcher
from app.framework.storage import Overloaded, StorageUnavailable
from tests.unit.batching import SOON, Calls, answers

request_id: ContextVar[str] = ContextVar("request_id", default="none")


@pytest.fixture
def calls() -> Calls:
    """The calls that were made."""
    return Calls()


@pytest.fixture
async def batcher(calls):
    """A batcher of three at a time, one call after the other, in a queue of five."""
    batcher = Batcher[int, int]("tens", calls, storage="Store", largest=3, max_queued=5)
    yield batcher
    for each in calls.endings:
        if not each.done():
            each.set_result(None)
    async with asyncio.timeout(SOON):
        await batcher.close()


async def test_an_item_goes_out_at_once(batcher, calls):
    """Nothing waits for others to come when no call is in flight."""
    result = batcher.submit(1)
    await calls.begun(1)
    calls.end(0)
    assert await answers(result) == [10]
    assert calls.batches == [[1]]


async def test_items_of_one_turn_go_out_together(batcher, calls):
    """Tasks that submit in the same turn of the event loop share a call."""

    async def submit(item):
        return await batcher.submit(item)

    tasks = [asyncio.create_task(submit(each)) for each in (1, 2)]
    await calls.begun(1)
    calls.end(0)
    assert await answers(*tasks) == [10, 20]
    assert calls.batches == [[1, 2]]


async def test_items_wait_together_in_order_for_the_call_in_flight(batcher, calls):
    """What comes during a call goes out after it, in the order it came."""
    first = batcher.submit(1)
    await calls.begun(1)
    rest = [batcher.submit(each) for each in (2, 3)]
    calls.end(0)
    await calls.begun(2)
    calls.end(1)
    assert await answers(first, *rest) == [10, 20, 30]
    assert calls.batches == [[1], [2, 3]]


async def test_items_of_the_turn_before_a_call_go_with_it(calls):
    """A call that is about to begin takes along what comes now, though another would be free."""
    batcher = Batcher[int, int](
        "tens", calls, storage="Store", largest=3, max_queued=5, concurrency=2
    )
    first = batcher.submit(1)
    await asyncio.sleep(0)
    second = batcher.submit(2)
    assert [each.get_name() for each in asyncio.all_tasks()].count("tens") == 1
    await calls.begun(1)
    calls.end(0)
    assert await answers(first, second) == [10, 20]
    assert calls.batches == [[1, 2]]
    await batcher.close()


async def test_who_asks_again_upon_a_result_goes_with_those_who_waited(batcher, calls):
    """The next call begins once the waiters of the last one had their turn."""

    async def ask_again():
        return await batcher.submit(1), await batcher.submit(3)

    asking = asyncio.create_task(ask_again())
    await calls.begun(1)
    waiting = batcher.submit(2)
    calls.end(0)
    await calls.begun(2)
    calls.end(1)
    assert await answers(asking, waiting) == [(10, 30), 20]
    assert calls.batches == [[1], [2, 3]]


async def test_a_call_has_so_many_items_at_most(batcher, calls):
    """More than `largest` are parted."""
    results = [batcher.submit(each) for each in range(5)]
    for number in range(2):
        await calls.begun(number + 1)
        calls.end(number)
    assert await answers(*results) == [0, 10, 20, 30, 40]
    assert calls.batches == [[0, 1, 2], [3, 4]]


async def test_as_many_calls_are_in_flight_as_allowed(calls):
    """With a concurrency of two, two batches are under way and the third waits."""
    batcher = Batcher[int, int](
        "tens", calls, storage="Store", largest=1, max_queued=5, concurrency=2
    )
    results = [batcher.submit(each) for each in (1, 2, 3)]
    await calls.begun(2)
    await asyncio.sleep(0)
    assert calls.batches == [[1], [2]]
    calls.end(1)
    assert await answers(results[1]) == [20]
    await calls.begun(3)
    calls.end(0)
    calls.end(2)
    assert await answers(*results) == [10, 20, 30]


async def test_too_many_waiters_are_turned_away(batcher, calls):
    """Past the bound an item is refused at once, and those before it are served."""
    first = batcher.submit(0)
    await calls.begun(1)
    waiting = [batcher.submit(each) for each in range(1, 6)]
    with pytest.raises(Overloaded, match=r"The queue of tens is full \(5 waiting\)\."):
        batcher.submit(6)
    for number in range(3):
        await calls.begun(number + 1)
        calls.end(number)
    assert await answers(first, *waiting) == [0, 10, 20, 30, 40, 50]


async def test_waiters_that_gave_up_make_room(batcher, calls):
    """A queue full of items that nobody waits for any more is not full."""
    batcher.submit(0)
    await calls.begun(1)
    for each in range(1, 6):
        batcher.submit(each).cancel()
    last = batcher.submit(6)
    calls.end(0)
    await calls.begun(2)
    calls.end(1)
    assert await answers(last) == [60]
    assert calls.batches == [[0], [6]]


async def test_an_exception_among_the_results_is_for_its_own_waiter(batcher, calls):
    """One item's refusal leaves its neighbours alone."""
    results = [batcher.submit(each) for each in (1, 2, 3)]
    await calls.begun(1)
    calls.end(0, [10, KeyError("two"), 30])
    outcomes = await answers(*results, return_exceptions=True)
    assert outcomes[0] == 10
    assert isinstance(outcomes[1], KeyError)
    assert outcomes[2] == 30


async def test_a_call_that_raises_fails_its_batch_only(batcher, calls):
    """Whoever waits behind it is sent next."""
    failing = [batcher.submit(each) for each in (1, 2)]
    await calls.begun(1)
    behind = batcher.submit(3)
    calls.endings[0].set_exception(ValueError("no"))
    await calls.begun(2)
    calls.end(1)
    outcomes = await answers(*failing, behind, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ValueError, ValueError, int]


async def test_unavailable_storage_fails_those_who_wait_too(batcher, calls):
    """Nobody sits through one time-out after another; later items are tried again."""
    failing = batcher.submit(1)
    await calls.begun(1)
    behind = [batcher.submit(each) for each in (2, 3, 4, 5)]
    calls.endings[0].set_exception(StorageUnavailable("Tens", "gone"))
    outcomes = await answers(failing, *behind, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StorageUnavailable] * 5
    assert calls.batches == [[1]]
    later = batcher.submit(6)
    await calls.begun(2)
    calls.end(1)
    assert await answers(later) == [60]


async def test_a_wrong_number_of_results_is_an_error_of_the_whole_batch(batcher, calls):
    """No waiter gets another's result, and none waits for ever."""
    results = [batcher.submit(each) for each in (1, 2)]
    await calls.begun(1)
    calls.end(0, [10])
    outcomes = await answers(*results, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["tens answered 1 results for 2 items."] * 2


async def test_a_waiter_that_gives_up_in_flight_disturbs_nobody(batcher, calls):
    """Its neighbours get their results."""
    results = [batcher.submit(each) for each in (1, 2, 3)]
    await calls.begun(1)
    results[1].cancel()
    calls.end(0)
    assert await answers(results[0]) == [10]
    assert await answers(results[2]) == [30]


async def test_an_item_is_not_sent_when_its_waiter_is_gone(batcher, calls):
    """A time-out while waiting spares the storage the work."""
    first = batcher.submit(1)
    await calls.begun(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await batcher.submit(2)
    third = batcher.submit(3)
    calls.end(0)
    await calls.begun(2)
    calls.end(1)
    assert await answers(first, third) == [10, 30]
    assert calls.batches == [[1], [3]]


async def test_closing_answers_what_was_accepted_and_refuses_the_rest(batcher, calls):
    """Items in flight and waiting are answered before `close` returns."""
    accepted = [batcher.submit(each) for each in range(4)]
    await calls.begun(1)
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable, match="Store is unavailable: the process is stopping"):
        batcher.submit(9)
    calls.end(0)
    await calls.begun(2)
    assert not closing.done()
    calls.end(1)
    await answers(closing)
    assert [each.result() for each in accepted] == [0, 10, 20, 30]


async def test_calls_do_not_run_in_the_context_of_a_request():
    """A batch serves many requests, so it carries the context variables of none."""

    async def call(items):
        return [request_id.get() for _ in items]

    batcher = Batcher[int, str]("ids", call, storage="Store", largest=3, max_queued=5)
    token = request_id.set("mine")
    assert await batcher.submit(1) == "none"
    request_id.reset(token)
    await batcher.close()


async def test_a_call_that_is_cancelled_from_within_leaves_nobody_waiting(batcher, calls):
    """Its waiters, and those behind, hear that the storage is unavailable."""
    failing = batcher.submit(1)
    await calls.begun(1)
    behind = batcher.submit(2)
    calls.endings[0].cancel()
    outcomes = await answers(failing, behind, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StorageUnavailable] * 2
