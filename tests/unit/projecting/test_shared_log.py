import asyncio

import pytest

from app.framework.projections.shared_log import KEPT, SharedLog
from app.framework.storage import StorageUnavailable
from tests.notes import write_notes


class CountedLog:
    """A log that notes what is read, and may fail."""

    def __init__(self, log):
        self._log = log
        self.reads = []
        self.failing = False

    async def read(self, *, after, limit):
        """As `EventLog.read` says, a turn of the loop later."""
        self.reads.append((after, limit))
        await asyncio.sleep(0)
        if self.failing:
            raise StorageUnavailable("Log", "gone")
        return await self._log.read(after=after, limit=limit)


@pytest.fixture
def counted(log):
    """The log that is shared."""
    return CountedLog(log)


async def test_who_asks_for_the_same_at_once_is_given_the_same(log, counted):
    """It is read once, though the batch is not full."""
    await write_notes(log, "x")
    shared = SharedLog(counted)
    first, second = await asyncio.gather(*(shared.read(after=0, limit=10) for _ in range(2)))
    assert [each.position for each in first] == [1, 2]
    assert second is first
    assert counted.reads == [(0, 10)]


async def test_a_full_batch_is_given_again(log, counted):
    """To a reader that comes along later; another limit is another batch."""
    await write_notes(log, "x")
    shared = SharedLog(counted)
    assert await shared.read(after=0, limit=2) is await shared.read(after=0, limit=2)
    await shared.read(after=0, limit=1)
    assert counted.reads == [(0, 2), (0, 1)]


async def test_a_batch_that_was_not_full_is_read_again(log, counted):
    """There may be more by now."""
    await write_notes(log)
    shared = SharedLog(counted)
    assert len(await shared.read(after=0, limit=10)) == 1
    await write_notes(log)
    assert len(await shared.read(after=0, limit=10)) == 2


async def test_few_batches_are_kept(log, counted):
    """The last ones, or a log would end up in memory."""
    await write_notes(log, *"abcdefghijklmnopqrst")
    shared = SharedLog(counted)
    for after in range(KEPT + 2):
        await shared.read(after=after, limit=1)
    counted.reads.clear()
    await shared.read(after=KEPT + 1, limit=1)
    await shared.read(after=2, limit=1)
    assert counted.reads == []
    await shared.read(after=0, limit=1)
    assert counted.reads == [(0, 1)]


async def test_a_reader_that_began_later_comes_level(log, counted):
    """It is given what those before it have read, and reads itself what is no longer cached."""
    await write_notes(log, *"abcdefghijklmnopqrst")
    shared = SharedLog(counted)
    for after in range(KEPT + 1):
        await shared.read(after=after, limit=1)
    counted.reads.clear()
    for ahead in range(KEPT + 1):
        for after in (KEPT + 1 + ahead, 2 * ahead, 2 * ahead + 1):
            await shared.read(after=after, limit=1)
    behind = [after for after, _ in counted.reads if after <= KEPT]
    assert behind == [0, 1, 2]
    assert len(counted.reads) == len(behind) + KEPT + 1


async def test_nothing_before_the_end_stays_in_memory(log, counted):
    """Batches far before it do, for builds that are made there."""
    await write_notes(log, *"abcdefghijklmnopqrst")
    shared = SharedLog(counted)
    for after in (0, 16, 18, 20):
        await shared.read(after=after, limit=2)
    counted.reads.clear()
    for after in (0, 16, 18):
        await shared.read(after=after, limit=2)
    assert counted.reads == [(16, 2), (18, 2)]


async def test_a_read_that_fails_fails_for_all_who_wait_and_no_other(log, counted):
    """Who asks later has it read anew."""
    await write_notes(log)
    shared = SharedLog(counted)
    counted.failing = True
    failed = await asyncio.gather(
        *(shared.read(after=0, limit=1) for _ in range(2)), return_exceptions=True
    )
    assert [type(each) for each in failed] == [StorageUnavailable] * 2
    counted.failing = False
    assert len(await shared.read(after=0, limit=1)) == 1


async def test_a_reader_that_gives_up_leaves_the_read_to_the_others(log, counted):
    """Being cancelled is its own affair."""
    await write_notes(log)
    shared = SharedLog(counted)
    leaving, staying = (asyncio.create_task(shared.read(after=0, limit=1)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert len(await staying) == 1
    assert leaving.cancelled()
