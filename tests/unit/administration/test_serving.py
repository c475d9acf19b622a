"""Operators choose the build that serves, and give builds up."""

import asyncio
from typing import Any

import pytest

from app.framework.administration import (
    BuildNotReady,
    BuildServes,
    PauseProjection,
    RetireBuild,
    ServeBuild,
)
from app.framework.administration.serve_build import LAG_ALLOWED
from app.framework.projections import BuildState, Comparison, ProjectionState
from tests.notes import NOTES, status
from tests.unit.administration.desk import Desk

HEAD = LAG_ALLOWED + 100


@pytest.fixture
async def desk() -> Desk:
    """A build of version 1 that serves, and one of version 2 that is ready, both followed."""
    desk = Desk()
    await desk.begin()
    await desk.begin(2)
    await desk.reach(1, HEAD)
    await desk.be_ready(2, HEAD, Comparison(10, 3, ["a"]))
    return desk


async def test_a_build_takes_over_and_the_one_before_is_kept(desk):
    """Going back is the same command; each is one write."""
    taken = await desk.send(ServeBuild("notes", 2))
    assert taken.serving == 2
    assert [each.state for each in taken.builds] == [BuildState.KEPT, BuildState.SERVING]
    back = await desk.send(ServeBuild("notes", 1))
    assert back.serving == 1
    assert [each.state for each in back.builds] == [BuildState.SERVING, BuildState.KEPT]


async def test_serving_what_serves_changes_nothing(desk):
    """It may be repeated."""
    before = await desk.record()
    assert (await desk.send(ServeBuild("notes", 1))).serving == 1
    after = await desk.record()
    assert (after.serving, after.switched_seconds) == (before.serving, before.switched_seconds)


async def test_a_build_that_serves_for_another_is_confirmed(desk):
    """The other does not take over again by itself."""
    first, second = (each.id for each in (await desk.record()).builds)
    assert await desk.store.switch("notes", serving=first, to=second, yields=True)
    assert (await desk.record()).yielded == first
    assert (await desk.send(ServeBuild("notes", 2))).serving == 2
    assert (await desk.record()).yielded is None


async def not_followed(desk: Desk) -> None:
    """Its process goes."""
    await desk.store.release(await desk.lease(2))


async def paused(desk: Desk) -> None:
    """An operator pauses the projection."""
    await not_followed(desk)
    await desk.send(PauseProjection("notes"))


async def building(desk: Desk) -> None:
    """It is not made yet."""
    await desk.store.note(await desk.lease(2), state=BuildState.BUILDING)


async def retired(desk: Desk) -> None:
    """It is given up."""
    await desk.send(RetireBuild("notes", 2))


async def behind(desk: Desk) -> None:
    """The build that serves goes on alone."""
    await desk.reach(1, HEAD + LAG_ALLOWED + 1)


async def stopped(desk: Desk) -> None:
    """It met an event that it cannot apply, and a process tries it once more."""
    of_it = status(NOTES, HEAD, state=ProjectionState.STOPPED, error="it cannot")
    await desk.store.save(await desk.lease(2), of_it)


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (not_followed, "no process works on it"),
        (paused, "the projection is paused"),
        (building, "it is building"),
        (stopped, "it is stopped"),
        (retired, "it is retired"),
        (behind, "it is 2,001 events behind build 1, which serves"),
    ],
)
async def test_a_build_that_would_lose_by_it_does_not_serve(desk, happen, reason):
    """The refusal says what it lacks, and what serves goes on."""
    await happen(desk)
    with pytest.raises(BuildNotReady) as refused:
        await desk.send(ServeBuild("notes", 2))
    assert str(refused.value) == f"Build 2 of notes cannot serve: {reason}."
    found = await desk.record()
    assert found.serving == found.builds[0].id


async def test_a_build_may_be_a_little_behind(desk):
    """Its holder catches up in a moment, and tokens wait for that."""
    await desk.reach(1, HEAD + LAG_ALLOWED)
    assert (await desk.send(ServeBuild("notes", 2))).serving == 2


async def test_of_two_operators_at_once_one_wins(desk):
    """The other learns which build serves by now."""
    await desk.begin()
    await desk.be_ready(3, HEAD)
    commands = [ServeBuild("notes", 2), ServeBuild("notes", 3)]
    answers: list[Any] = await asyncio.gather(*map(desk.send, commands), return_exceptions=True)
    [refused] = [each for each in answers if isinstance(each, Exception)]
    [won] = [each for each in answers if not isinstance(each, Exception)]
    assert str(refused) == (
        f"notes is busy: it was changed at the same time, and build {won.serving} serves by now."
    )
    found = await desk.record()
    assert found.serving_build
    assert found.serving_build.number == won.serving


async def test_a_build_is_retired_and_may_be_again(desk):
    """A kept one as well as one that is being made."""
    for _ in range(2):
        await desk.send(RetireBuild("notes", 2))
    await desk.begin()
    await desk.send(RetireBuild("notes", 3))
    states = [each.state for each in (await desk.record()).builds]
    assert states == [BuildState.SERVING, BuildState.RETIRED, BuildState.RETIRED]


async def test_the_build_that_serves_is_not_retired(desk):
    """Queries read it."""
    with pytest.raises(BuildServes, match=r"^Build 1 of notes serves; "):
        await desk.send(RetireBuild("notes", 1))
    assert (await desk.record()).builds[0].state is BuildState.SERVING
