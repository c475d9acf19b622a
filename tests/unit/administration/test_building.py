"""Operators rebuild projections."""

import asyncio

import pytest

from app.framework.administration import BeginBuild, ProjectionBusy, RetireBuild
from app.framework.eventsourcing import IdempotencyKeyReused
from app.framework.projections import BuildState, TakeOver
from tests.notes import NOTES, notes
from tests.unit.administration.desk import Desk

REBUILD = BeginBuild("notes")


async def test_a_rebuild_begins_beside_the_build_that_serves():
    """It takes over when it is equal, unless the operator wants to be asked."""
    desk = Desk()
    await desk.begin()
    begun = await desk.send(REBUILD)
    assert (begun.number, begun.version, begun.state) == (2, 1, BuildState.BUILDING)
    assert (begun.take_over, begun.serves) == (TakeOver.WHEN_EQUAL, False)
    await desk.be_ready(2, 4)
    third = await desk.send(BeginBuild("notes", TakeOver.ON_REQUEST))
    assert (third.number, third.take_over) == (3, TakeOver.ON_REQUEST)


@pytest.mark.parametrize("state", [BuildState.BUILDING, BuildState.COMPARING])
async def test_a_projection_is_rebuilt_once_at_a_time(state):
    """The refusal says how far the other build is; retiring that makes room."""
    desk = Desk()
    await desk.write(9)
    await desk.begin()
    await desk.begin()
    await desk.store.note(await desk.reach(2, 4), state=state)
    with pytest.raises(ProjectionBusy) as refused:
        await desk.send(REBUILD)
    assert str(refused.value) == (
        f"notes is busy: build 2 is {state}, at position 4 of 9; wait, or retire it."
    )
    await desk.send(RetireBuild("notes", 2))
    assert (await desk.send(REBUILD)).number == 3


async def test_a_build_that_is_left_over_is_in_the_way_of_no_rebuild():
    """A kept build served again before it had caught up, so it waits for nothing."""
    desk = Desk()
    await desk.begin()
    await desk.begin()
    await desk.store.note(await desk.reach(2, 0), has_caught_up=True)
    assert (await desk.send(REBUILD)).number == 3


async def test_of_two_operators_at_once_one_wins():
    """The other is answered with the state."""
    desk = Desk()
    await desk.begin()
    answers = await asyncio.gather(*(desk.send(REBUILD) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == [
        "BuildDetails",
        *["ProjectionBusy"] * 4,
    ]
    assert len((await desk.record()).builds) == 2


async def test_a_repeat_under_one_key_gets_the_same_build():
    """Also later, when that build has gone on."""
    desk = Desk()
    await desk.begin()
    first = await desk.outcome(REBUILD, key="k")
    assert not first.replayed
    repeats = await asyncio.gather(*(desk.outcome(REBUILD, key="k") for _ in range(3)))
    await desk.be_ready(2, 4)
    repeats.append(await desk.outcome(REBUILD, key="k"))
    assert {(each.value.number, each.replayed) for each in repeats} == {(2, True)}
    assert len((await desk.record()).builds) == 2


async def test_repeats_at_once_get_the_same_build():
    """One begins it, the others find it under their key."""
    desk = Desk()
    await desk.begin()
    answers = await asyncio.gather(*(desk.outcome(REBUILD, key="k") for _ in range(5)))
    assert {each.value.number for each in answers} == {2}
    assert len((await desk.record()).builds) == 2


async def test_a_key_stands_for_one_request():
    """Another one under it, also for another projection, is refused."""
    desk = Desk()
    await desk.begin()
    await desk.store.begin(notes(name="others"), take_over=TakeOver.WHEN_EQUAL, known=0)
    await desk.send(REBUILD, key="k", sent="when equal")
    for each in (BeginBuild("notes", TakeOver.ON_REQUEST), BeginBuild("others")):
        with pytest.raises(IdempotencyKeyReused):
            await desk.send(each, key="k", sent="something else")
    assert (await desk.send(BeginBuild("others"), key="l")).number == 2


@pytest.mark.parametrize(
    ("known", "serving", "built"), [((1, 2), 1, 2), ((1, 2), 2, 2), ((1,), 2, 2), ((), 2, 2)]
)
async def test_a_rebuild_is_of_the_newest_version(known, serving, built):
    """Of this process's code, or of the build that serves, if a newer process made that."""
    desk = Desk(*(notes(version=each) for each in known), notes(name="others", version=9))
    await desk.begin(serving)
    assert (await desk.send(REBUILD)).version == built


async def test_a_rebuild_is_stored_for_the_process_that_has_the_code():
    """Under the id that its version has."""
    desk = Desk(NOTES)
    await desk.begin(2)
    assert (await desk.send(REBUILD)).collection == "notes_v2_b2"
