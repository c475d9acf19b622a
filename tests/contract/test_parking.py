"""A document whose event cannot be applied is parked, and the others go on: on every read model."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.projections import (
    EVERYTHING,
    BuildRecord,
    DocumentParked,
    ProjectionState,
    existing,
)
from app.framework.projections.parking import ERROR_LENGTH, MAX_PARKED
from tests.eventful import Crash, EventfulStore
from tests.following import QUICK, builds, catch_up
from tests.following import take as taken
from tests.notes import NOTES, NoteAdded, NoteErased, NoteWritten, append, folded, new_log, notes
from tests.unit.projecting.refusing import refusing

numbers = itertools.count()


@pytest.fixture
def view() -> str:
    """A name of a view that no other test has."""
    return f"parking{next(numbers)}"


async def parked(store, view: str) -> BuildRecord:
    """The build of a view, with its parked documents."""
    (found,) = [each for each in await builds(store) if each.name == view]
    return found


def broken(view: str, refuses: Callable[[str], bool] = "poison".__eq__):
    """A view of notes whose fold cannot apply a text."""
    return refusing(view, refuses, parks=True)


async def poison(log: MemoryEventStore) -> None:
    """Two notes, of which one has an event that cannot be applied amid its own."""
    await append(log, "bad", NoteWritten("begin"), NoteAdded("x"))
    await append(log, "good", NoteWritten("begin"))
    await append(log, "bad", NoteAdded("poison"), NoteAdded("after"))
    await append(log, "good", NoteAdded("y"))
    await append(log, "bad", NoteAdded("last"))


@pytest.mark.parametrize("batch", [1, 2, 100])
async def test_the_others_go_on(read_model, view, batch):
    """At once; the document is as it was before, and what it waits for is counted."""
    log = new_log()
    await poison(log)
    status = await catch_up(log, read_model, broken(view), replace(QUICK, batch=batch))
    assert (status.state, status.position, status.error) == (ProjectionState.RUNNING, 7, None)
    assert (await read_model.get(view, "good")).document["texts"] == ["begin", "y"]
    assert (await read_model.get(view, "bad")).document["texts"] == ["begin", "x"]
    ((found,),) = [(await parked(read_model, view)).parked]
    assert (found.key, found.position, found.waiting) == ("bad", 4, 3)
    assert "ValueError: cannot apply poison" in found.error


async def test_an_error_that_has_a_document_in_it_is_cut(read_model, view):
    """It is stored with the checkpoint, and read by every process."""
    log = new_log()
    await append(log, "bad", NoteWritten("begin"), NoteAdded("x" * 100_000))
    await catch_up(log, read_model, broken(view, lambda text: len(text) > 9))
    (found,) = (await parked(read_model, view)).parked
    assert found.error.startswith(f"{view}_v1 cannot apply the NoteAdded at position 2")
    assert len(found.error) == ERROR_LENGTH


async def test_a_read_is_never_silently_old(read_model, view):
    """With a token for the event that is missing it is refused; with an earlier one it is not."""
    log = new_log()
    await poison(log)
    await catch_up(log, read_model, broken(view))
    assert await read_model.get(view, "bad", at_least=3)
    assert await read_model.get(view, "good", at_least=7)
    for position in (4, 7):
        with pytest.raises(DocumentParked, match="position 4"):
            await read_model.get(view, "bad", at_least=position)
    reads = (read_model.get(view, key, at_least=7) for key in ("bad", "good", "bad"))
    answers = await asyncio.gather(*reads, return_exceptions=True)
    assert [isinstance(each, DocumentParked) for each in answers] == [True, False, True]


async def test_a_document_may_be_parked_from_its_first_event(read_model, view):
    """It is absent, and a token for that event is refused all the same."""
    log = new_log()
    refuses = partial(existing, None)
    projection = replace(
        notes(name=view),
        handlers={**NOTES.handlers, NoteWritten: lambda _, recorded, __: refuses(recorded)},
    )
    await append(log, "bad", NoteWritten("begin"), NoteAdded("x"))
    await catch_up(log, read_model, projection)
    assert await read_model.get(view, "bad") is None
    with pytest.raises(DocumentParked):
        await read_model.get(view, "bad", at_least=1)
    await read_model.ask_to_replay(projection.id, ["bad"])
    await catch_up(log, read_model, notes(name=view))
    assert await read_model.load(projection.id, ["bad"]) == await folded(log, NOTES)


@pytest.mark.parametrize("asked", [["bad"], [EVERYTHING], ["good", "bad"]])
async def test_a_replay_brings_it_level(read_model, view, asked):
    """After the fold was mended, with all that came meanwhile; a restart alone does not."""
    log = new_log()
    await poison(log)
    await catch_up(log, read_model, broken(view))
    await append(log, "bad", NoteAdded("later"))
    await catch_up(log, read_model, notes(name=view))
    assert (await parked(read_model, view)).parked[0].waiting == 4
    await read_model.ask_to_replay(notes(name=view).id, asked)
    await catch_up(log, read_model, notes(name=view))
    found = await parked(read_model, view)
    assert (found.parked, found.replay) == ([], [])
    assert await read_model.load(found.id, ["bad", "good"]) == await folded(log, NOTES)
    async with asyncio.timeout(2):
        while True:
            with contextlib.suppress(DocumentParked):
                assert (await read_model.get(view, "bad", at_least=8)).position == 8
                return


async def test_a_replay_that_is_refused_again_parks_it_anew(read_model, view):
    """Where it is refused then, with what could be applied before that."""
    log = new_log()
    await poison(log)
    await catch_up(log, read_model, broken(view))
    still = broken(view, "last".__eq__)
    await read_model.ask_to_replay(still.id, [EVERYTHING])
    await catch_up(log, read_model, still)
    found = await parked(read_model, view)
    assert [(each.key, each.position, each.waiting) for each in found.parked] == [("bad", 7, 1)]
    texts = (await read_model.get(view, "bad")).document["texts"]
    assert texts == ["begin", "x", "poison", "after"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_replay_that_is_killed_begins_again(read_model, view, seed):
    """At any step, while events of the same document come; none is lost or applied twice."""
    chance = random.Random(seed)
    log = new_log()
    await poison(log)
    await catch_up(log, read_model, broken(view))
    mended = notes(name=view)
    await read_model.ask_to_replay(mended.id, ["bad"])
    for life in range(12):
        await append(log, chance.choice(["bad", "good"]), NoteAdded(f"{life}"))
        steps = chance.randrange(14)
        countdown = iter([False] * steps + [True])

        async def killed_in_time(_: str, countdown=countdown) -> None:
            if next(countdown, False):
                raise Crash

        with contextlib.suppress(Crash):
            options = replace(QUICK, batch=chance.randint(1, 4))
            await catch_up(log, EventfulStore(read_model, killed_in_time), mended, options)
    await catch_up(log, read_model, mended)
    found = await parked(read_model, view)
    assert (found.parked, found.replay) == ([], [])
    assert await read_model.load(found.id, ["bad", "good"]) == await folded(log, NOTES)


async def test_a_wrong_fold_stops_its_projection(read_model, view):
    """It would park everything; what is parked by then can be replayed."""
    log = new_log()
    for number in range(MAX_PARKED + 5):
        await append(log, f"{number}", NoteWritten("begin"), NoteAdded("poison"))
    projection = broken(view)
    status = await catch_up(log, read_model, projection, replace(QUICK, batch=10))
    assert status.state is ProjectionState.STOPPED
    assert "the fold is wrong" in (status.error or "")
    assert len((await parked(read_model, view)).parked) == MAX_PARKED
    mended = notes(name=view)
    await read_model.ask_to_replay(mended.id, [EVERYTHING])
    await catch_up(log, read_model, mended, replace(QUICK, batch=50))
    due = await folded(log, NOTES)
    assert await read_model.load(mended.id, due) == due


async def test_a_rebuild_parks_what_its_own_fold_refuses(read_model, view):
    """Each build has its own parked documents."""
    log = new_log()
    await poison(log)
    await catch_up(log, read_model, broken(view))
    await catch_up(log, read_model, notes(name=view, version=2))
    first, second = [each for each in await builds(read_model) if each.name == view]
    assert [each.key for each in first.parked] == ["bad"]
    assert not second.parked


async def test_a_parked_document_may_be_deleted_by_what_waits(read_model, view):
    """Events that do not need the document wait as well: the order is kept."""
    log = new_log()
    await poison(log)
    await append(log, "bad", NoteErased())
    await catch_up(log, read_model, broken(view))
    assert await read_model.get(view, "bad")
    mended = notes(name=view)
    await read_model.ask_to_replay(mended.id, ["bad"])
    await catch_up(log, read_model, mended)
    assert await read_model.get(view, "bad") is None


async def test_a_stale_holder_does_not_park(read_model, view):
    """What it finds does not count: its checkpoint is refused, and the parked ones with it."""
    log = new_log()
    await append(log, "bad", NoteWritten("begin"))
    await catch_up(log, read_model, notes(name=view))

    async def lose_the_lease(step: str) -> None:
        if step == "before save":
            await taken(read_model, notes(name=view))

    await append(log, "bad", NoteAdded("poison"))
    await catch_up(log, EventfulStore(read_model, lose_the_lease), broken(view))
    assert not (await parked(read_model, view)).parked
    await catch_up(log, read_model, notes(name=view))
    assert (await read_model.get(view, "bad")).document["texts"] == ["begin", "poison"]
