"""How readers of the log hear that it has grown."""

import asyncio

import pytest

from app.framework.eventsourcing.signal import LogSignal


@pytest.fixture
def signal() -> LogSignal:
    """A signal of a log that is empty."""
    return LogSignal()


async def soon(*waits) -> None:
    """All of `waits` end long before their time is over."""
    async with asyncio.timeout(5):
        await asyncio.gather(*waits)


async def started(*waits) -> list[asyncio.Task[None]]:
    """The waits, under way."""
    tasks = [asyncio.create_task(each) for each in waits]
    await turns()
    return tasks


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_has_happened_is_not_waited_for(signal):
    """A log past the position ends the wait before it begins."""
    signal.grown_to(3)
    await soon(signal.wait(after=2, seconds=60), signal.wait(after=0, seconds=60))


async def test_all_who_wait_are_woken(signal):
    """By one call, and again by the next."""
    for position in (1, 2):
        tasks = await started(*(signal.wait(after=position - 1, seconds=60) for _ in range(3)))
        assert not any(each.done() for each in tasks)
        signal.grown_to(position)
        await soon(*tasks)


async def test_who_waits_for_more_waits_on(signal):
    """Growth up to a position, or at one passed already, wakes nobody who waits past it."""
    (task,) = await started(signal.wait(after=5, seconds=60))
    for position in (3, 5, 4):
        signal.grown_to(position)
        await turns()
        assert not task.done()
    signal.grown_to(6)
    await soon(task)


async def test_a_position_never_goes_back(signal):
    """Appends that are told of out of order do not hide the last one."""
    signal.grown_to(9)
    signal.grown_to(4)
    await soon(signal.wait(after=8, seconds=60))


async def test_a_log_that_was_restored_is_waited_for(signal):
    """Once its signal is set back; what grew meanwhile counts."""
    signal.grown_to(9)
    signal.set_back(9, 4)
    (task,) = await started(signal.wait(after=4, seconds=60))
    assert not task.done()
    signal.grown_to(5)
    signal.set_back(9, 4)
    assert signal.position == 5
    await soon(task)


async def test_a_wait_ends_with_its_time(signal):
    """Quietly: that nothing was appended here is no error."""
    await soon(signal.wait(after=0, seconds=0.01), signal.wait(after=0, seconds=0))


async def test_a_wait_can_be_given_up(signal):
    """A cancelled wait is over at once, and those beside it go on."""
    given_up, other = await started(*(signal.wait(after=0, seconds=60) for _ in range(2)))
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    signal.grown_to(1)
    await soon(other)
