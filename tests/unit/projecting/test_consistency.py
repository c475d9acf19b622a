"""Reads that wait until the read model holds what they ask for."""

import asyncio
import time
from functools import partial
from typing import Any

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import (
    AheadOfLog,
    ConsistentViews,
    PageRequest,
    PositionWatch,
    ReadModelBehind,
)
from app.framework.request import NO_CONTEXT, RequestContext
from app.framework.storage import StorageUnavailable
from tests.following import prepare, save, until
from tests.notes import NOTES, note, status

EVERYTHING = PageRequest(equals={}, sort="written_at", limit=10)


class CountingViews(MemoryReadModel):
    """Counts the look-ups, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.look_ups = 0
        self.error: Exception | None = None

    async def positions(self):
        """As `Views.positions` says."""
        self.look_ups += 1
        if self.error:
            raise self.error
        return await super().positions()


@pytest.fixture
async def read_model() -> CountingViews:
    """A read model that holds one note and stands at position 1."""
    model = CountingViews()
    await prepare(model, NOTES)
    await advance(model, 1)
    return model


def consistent(model: CountingViews, *, seconds: float) -> ConsistentViews:
    """Views whose reads wait up to `seconds`."""
    return ConsistentViews(model, PositionWatch(model), seconds=seconds)


@pytest.mark.parametrize("paused", [True, False])
async def test_the_error_says_whether_the_view_is_paused(read_model, paused):
    """Only an operator can end that, so waiting is no use."""
    await read_model.pause("notes", paused=paused)
    with pytest.raises(ReadModelBehind) as behind:
        await consistent(read_model, seconds=0.01).get("notes", "n", at_least(2))
    assert behind.value.is_paused is paused
    assert ("paused" in str(behind.value)) is paused


def at_least(position: int) -> RequestContext:
    """The context of a request that has to hold the log up to a position."""
    return RequestContext(minimum_position=position)


async def advance(model: MemoryReadModel, position: int) -> None:
    """Have the model hold everything up to `position`."""
    await model.write(NOTES.id, {"n": note(str(position), position)})
    await save(model, NOTES, status(NOTES, position))


@pytest.mark.parametrize("read", ["get", "page"])
async def test_a_read_waits_for_what_it_must_hold(read_model, read):
    """It returns as soon as the view has come so far, with what was written there."""
    views = consistent(read_model, seconds=60)
    reading = asyncio.create_task(
        views.get("notes", "n", at_least(2))
        if read == "get"
        else views.page("notes", EVERYTHING, at_least(2))
    )
    await until(lambda: read_model.look_ups > 1)
    assert not reading.done()
    await advance(read_model, 2)
    async with asyncio.timeout(5):
        found: Any = await reading
    assert (found if read == "get" else found[0]).position == 2


async def test_a_read_that_need_not_wait_asks_nothing(read_model):
    """Neither one without a position, nor one whose position is reached."""
    views = consistent(read_model, seconds=60)
    for context in (NO_CONTEXT, at_least(1)):
        assert (await views.get("notes", "n", context)).position == 1
    assert read_model.look_ups == 0


async def test_a_read_waits_no_longer_than_it_may(read_model):
    """Then it says that the view is behind, and waits for nothing any more."""
    views = consistent(read_model, seconds=0.2)
    began = time.monotonic()
    with pytest.raises(ReadModelBehind):
        await views.get("notes", "n", at_least(2))
    assert 0.2 <= time.monotonic() - began < 1
    asked = read_model.look_ups
    await asyncio.sleep(0.05)
    assert read_model.look_ups == asked


async def test_all_who_wait_share_one_look_up(read_model):
    """A thousand readers ask no more often than one."""
    views = consistent(read_model, seconds=60)

    async def read(position: int) -> int:
        entry = await views.get("notes", "n", at_least(position))
        assert entry
        return entry.position

    reading = [asyncio.create_task(read(2 + each % 3)) for each in range(1000)]
    for position in (2, 3, 4):
        await until(partial(lambda due: read_model.look_ups >= due, read_model.look_ups + 3))
        assert sum(each.done() for each in reading) == sum(
            2 + each % 3 < position for each in range(1000)
        )
        await advance(read_model, position)
    async with asyncio.timeout(5):
        positions = await asyncio.gather(*reading)
    assert all(found >= 2 + each % 3 for each, found in enumerate(positions))
    assert read_model.look_ups < 50


async def test_one_who_gives_up_leaves_the_others_waiting(read_model):
    """And the last one who leaves ends the look-ups."""
    views = consistent(read_model, seconds=60)
    first, second = (asyncio.create_task(views.get("notes", "n", at_least(2))) for _ in range(2))
    await until(lambda: read_model.look_ups > 0)
    first.cancel()
    await asyncio.wait([first])
    await advance(read_model, 2)
    async with asyncio.timeout(5):
        assert (await second).position == 2
    await asyncio.sleep(0)
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "position watch"]


async def test_an_outage_is_told_to_all_who_wait(read_model):
    """As it is to readers who do not; afterwards reads wait again."""
    views = consistent(read_model, seconds=60)
    read_model.error = StorageUnavailable("Store", "gone")
    reading = [asyncio.create_task(views.get("notes", "n", at_least(2))) for _ in range(3)]
    async with asyncio.timeout(5):
        found = await asyncio.gather(*reading, return_exceptions=True)
    assert found == [read_model.error] * 3
    read_model.error = None
    again = asyncio.create_task(views.get("notes", "n", at_least(2)))
    await advance(read_model, 2)
    async with asyncio.timeout(5):
        assert (await again).position == 2


async def test_a_log_that_cannot_be_asked_is_not_waited_for(read_model):
    """Reads wait as they would without it, and end in time; others go on."""

    async def gone() -> int:
        raise StorageUnavailable("Store", "gone")

    async def silent() -> int:
        await asyncio.sleep(60)
        return 0

    for head in (gone, silent):
        views = ConsistentViews(read_model, PositionWatch(read_model, head=head), seconds=0.3)
        began = time.monotonic()
        with pytest.raises(ReadModelBehind):
            await views.get("notes", "n", at_least(9))
        assert 0.3 <= time.monotonic() - began < 30
    await asyncio.sleep(0)
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "log look-up"]


async def test_the_log_is_asked_once_for_all_who_wait(read_model):
    """And only about those who have waited for a while."""
    asked = []

    async def head() -> int:
        asked.append(True)
        return 2

    watch = PositionWatch(read_model, head=head)
    views = ConsistentViews(read_model, watch, seconds=0.5)

    async def read(position: int) -> None:
        await views.get("notes", "n", at_least(position))

    soon = asyncio.create_task(read(2))
    await until(lambda: read_model.look_ups > 1)
    await advance(read_model, 2)
    await soon
    assert asked == []
    outcomes = await asyncio.gather(*map(read, [3] * 50 + [4] * 50), return_exceptions=True)
    assert {type(each) for each in outcomes} == {AheadOfLog}
    assert len(asked) == 1
