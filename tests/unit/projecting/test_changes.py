"""A feed of changes: what it tells, when, and to whom."""

import asyncio
import dataclasses
import time

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import (
    POSITION,
    AheadOfLog,
    ChangeFeed,
    Changes,
    Condemned,
    PositionWatch,
    ReadModelBehind,
    Versioned,
)
from app.framework.projections.changes import READ_AT_ONCE
from app.framework.request import NO_CONTEXT, RequestContext
from tests.following import prepare, save, serve, take
from tests.notes import LOG, NOTES, status

VIEWS = [NOTES.name, LOG.name]


@pytest.fixture
async def model() -> MemoryReadModel:
    """A read model that holds nothing yet."""
    model = MemoryReadModel()
    for each in (NOTES, LOG):
        await prepare(model, each)
    return model


@pytest.fixture
def feed(model) -> ChangeFeed:
    """A feed of what the log of notes holds."""
    return ChangeFeed(model, PositionWatch(model), view=LOG.name, views=VIEWS, seconds=0.2)


async def happen(model: MemoryReadModel, *positions: int) -> None:
    """Have events be in the view that is followed, whatever the checkpoints say."""
    documents = {f"{each}": Versioned({POSITION: each}, each) for each in positions}
    await model.write(LOG.id, documents)


async def reach(model: MemoryReadModel, position: int, projections=(NOTES, LOG)) -> None:
    """Have projections be at a position."""
    for each in projections:
        await save(model, each, status(each, position))


def told(changes) -> list[int]:
    """The positions of what a read told."""
    return [each.position for each in changes.entries]


async def test_all_that_happened_is_told_in_order(model, feed):
    """From anywhere on, with the position to go on from."""
    await happen(model, 3, 1, 4, 2)
    await reach(model, 4)
    everything = await feed.read(after=0, seconds=5, context=NO_CONTEXT)
    assert (told(everything), everything.position) == ([1, 2, 3, 4], 4)
    rest = await feed.read(after=2, seconds=5, context=NO_CONTEXT)
    assert (told(rest), rest.position) == ([3, 4], 4)


async def test_nothing_is_told_before_every_view_holds_it(model, feed):
    """Or a reader could hear of a change and not find it."""
    await happen(model, 1, 2, 3)
    await reach(model, 3, [LOG])
    await reach(model, 2, [NOTES])
    changes = await feed.read(after=0, seconds=5, context=NO_CONTEXT)
    assert (told(changes), changes.position) == ([1, 2], 2)
    waiting = asyncio.create_task(feed.read(after=2, seconds=60, context=NO_CONTEXT))
    await reach(model, 3, [NOTES])
    async with asyncio.timeout(5):
        assert told(await waiting) == [3]


async def test_what_is_written_ahead_of_the_checkpoints_is_left_for_later(model, feed):
    """A batch that is being written may lack earlier events: 3 comes before 2 here."""
    await happen(model, 1, 3)
    await reach(model, 1)
    first = await feed.read(after=0, seconds=5, context=NO_CONTEXT)
    assert (told(first), first.position) == ([1], 1)
    await happen(model, 2)
    await reach(model, 3)
    rest = await feed.read(after=1, seconds=1, context=NO_CONTEXT)
    assert (told(rest), rest.position) == ([2, 3], 3)


async def test_positions_of_other_contexts_are_passed_over(model, feed):
    """A reader goes on after them, though it is told nothing."""
    await happen(model, 1)
    await reach(model, 5)
    assert (await feed.read(after=0, seconds=5, context=NO_CONTEXT)).position == 5
    await reach(model, 9)
    changes = await feed.read(after=5, seconds=1, context=NO_CONTEXT)
    assert (told(changes), changes.position) == ([], 9)


async def test_much_is_told_in_parts(model, feed):
    """Each read holds so many at most, and says from where to go on."""
    last = 2 * READ_AT_ONCE + 1
    await happen(model, *range(1, last + 1))
    await reach(model, last)
    position, found, sizes = 0, [], []
    while position < last:
        changes = await feed.read(after=position, seconds=5, context=NO_CONTEXT)
        position = changes.position
        found += told(changes)
        sizes.append(len(changes.entries))
    assert found == list(range(1, last + 1))
    assert sizes == [READ_AT_ONCE, READ_AT_ONCE, 1]


async def test_without_a_position_it_begins_with_what_is_new(model, feed):
    """Nothing is told, but where to go on from."""
    await happen(model, 1, 2)
    await reach(model, 2)
    begin = await feed.read(after=None, seconds=0, context=NO_CONTEXT)
    assert (told(begin), begin.position) == ([], 2)


async def test_one_who_waits_at_the_end_of_a_log_that_is_restored_is_refused(model):
    """Or it would wait until the log is as long again, and miss what came until then."""
    head = 5

    async def head_of_the_log() -> int:
        return head

    watch = PositionWatch(model, head=head_of_the_log)
    feed = ChangeFeed(model, watch, view=LOG.name, views=VIEWS, seconds=5)
    await happen(model, *range(1, 6))
    await reach(model, 5)
    assert (await feed.read(after=4, seconds=5, context=NO_CONTEXT)).position == 5
    head = 2
    for each in (NOTES, LOG):
        _, lease = await take(model, each)
        await model.note(lease, condemned=Condemned.LOG_RESTORED)
    begin = await feed.read(after=None, seconds=0, context=NO_CONTEXT)
    assert begin.position == 0
    assert await feed.read(after=5, seconds=0.01, context=NO_CONTEXT) == Changes((), 5)
    with pytest.raises(AheadOfLog):
        await feed.read(after=5, seconds=5, context=NO_CONTEXT)


async def test_a_read_waits_for_what_comes_no_longer_than_it_may(model, feed):
    """Then it tells nothing, and the reader is where it was."""
    await reach(model, 1)
    await feed.read(after=None, seconds=0, context=NO_CONTEXT)
    began = time.monotonic()
    changes = await feed.read(after=1, seconds=0.1, context=NO_CONTEXT)
    assert 0.1 <= time.monotonic() - began < 1
    assert (told(changes), changes.position) == ([], 1)


async def test_one_who_is_ahead_of_the_views_is_refused(model, feed):
    """As is one who must read at least what they do not hold: nothing would be told for ever."""
    await reach(model, 1)
    with pytest.raises(ReadModelBehind):
        await feed.read(after=7, seconds=0, context=NO_CONTEXT)
    with pytest.raises(ReadModelBehind):
        await feed.read(after=None, seconds=0, context=RequestContext(minimum_position=7))
    assert (await feed.read(after=1, seconds=0, context=NO_CONTEXT)).position == 1


async def test_a_version_that_takes_over_behind_the_one_before_is_waited_for(model, feed):
    """Nothing is skipped, and the reader goes on when it has come as far."""
    later = dataclasses.replace(LOG, version=2)
    await happen(model, 1, 2)
    await reach(model, 2)
    assert told(await feed.read(after=1, seconds=5, context=NO_CONTEXT)) == [2]
    await prepare(model, later)
    await model.write(later.id, {f"{each}": Versioned({POSITION: each}, each) for each in (1, 2)})
    await reach(model, 1, [later])
    await serve(model, later)
    assert (await feed.read(after=0, seconds=5, context=NO_CONTEXT)) == Changes((), 0)
    await reach(model, 2, [later])
    assert told(await feed.read(after=0, seconds=5, context=NO_CONTEXT)) == [1, 2]
