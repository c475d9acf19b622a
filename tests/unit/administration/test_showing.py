"""Operators see projections and their builds."""

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.administration import (
    BuildNotFound,
    GetBuild,
    GetProjection,
    ListProjections,
    PauseProjection,
    ProjectionNotFound,
    ResumeProjection,
    RetireBuild,
    ServeBuild,
    of_projections,
)
from app.framework.mediator import Mediator
from app.framework.projections import BuildState, Comparison, ProjectionState, TakeOver
from app.framework.storage import StorageUnavailable
from tests.notes import NOTES, new_log
from tests.unit.administration.desk import Desk


async def test_a_projection_is_shown_with_its_builds():
    """Each with what it is for, how far it is, and how long it takes."""
    desk = Desk()
    await desk.write(10)
    await desk.begin()
    await desk.reach(1, 10, rate=0.0)
    await desk.begin(take_over=TakeOver.WHEN_EQUAL)
    await desk.reach(2, 4, rate=2.0)

    [found] = await desk.send(ListProjections())

    assert (found.name, found.paused, found.serving) == ("notes", False, 1)
    assert (found.activity, found.position, found.head, found.lag) == ("running", 10, 10, 0)
    first, second = found.builds
    assert (first.state, first.serves, first.seconds_left) == (BuildState.SERVING, True, 0)
    assert (second.collection, second.state, second.serves) == ("notes_v1_b2", "building", False)
    assert (second.lag, second.rate, second.seconds_left) == (6, 2, 3)
    assert (second.holder, second.take_over) == ("here", "when-equal")
    assert second.held_since is not None
    assert await desk.send(GetProjection("notes")) == found
    assert await desk.send(GetBuild("notes", 2)) == second


async def test_a_build_that_no_process_works_on_has_no_rate():
    """What is left of its last one is no promise."""
    desk = Desk()
    await desk.write(9)
    await desk.begin()
    await desk.store.release(await desk.reach(1, 4, rate=5.0))

    found = await desk.send(GetBuild("notes", 1))

    assert (found.activity, found.holder, found.rate) == ("absent", None, None)
    assert (found.lag, found.seconds_left) == (5, None)


async def test_a_comparison_is_shown():
    """How many keys it compared, and which differ."""
    desk = Desk()
    await desk.begin()
    await desk.begin()
    await desk.be_ready(2, 7, Comparison(10, 2, ["a", "b"]))
    found = await desk.send(GetBuild("notes", 2))
    assert found.comparison == Comparison(10, 2, ["a", "b"])


async def test_a_retired_build_is_shown_by_its_number_only():
    """A list of what was once would grow for ever."""
    desk = Desk()
    await desk.begin()
    await desk.begin()
    await desk.send(RetireBuild("notes", 2))
    found = await desk.send(GetProjection("notes"))
    assert [each.number for each in found.builds] == [1]
    assert (await desk.send(GetBuild("notes", 2))).state == "retired"


@pytest.mark.parametrize(
    "message",
    [
        GetProjection("books"),
        GetBuild("books", 1),
        PauseProjection("books"),
        ResumeProjection("books"),
        ServeBuild("books", 1),
        RetireBuild("books", 1),
    ],
)
async def test_a_projection_that_is_not_there_is_named(message):
    """By every message."""
    desk = Desk()
    await desk.begin()
    with pytest.raises(ProjectionNotFound, match=r"^There is no projection books\.$"):
        await desk.send(message)


@pytest.mark.parametrize("kind", [GetBuild, ServeBuild, RetireBuild])
async def test_a_build_that_is_not_there_is_named(kind):
    """By every message that names one."""
    desk = Desk()
    await desk.begin()
    with pytest.raises(BuildNotFound, match=r"^notes has no build 2\.$"):
        await desk.send(kind("notes", 2))


async def test_a_pause_is_remembered_and_may_be_repeated():
    """Until it is resumed."""
    desk = Desk()
    await desk.begin()
    await desk.reach(1, 4)
    for _ in range(2):
        found = await desk.send(PauseProjection("notes"))
        assert (found.paused, found.activity) == (True, ProjectionState.PAUSED)
        assert (await desk.record()).paused
    for _ in range(2):
        found = await desk.send(ResumeProjection("notes"))
        assert (found.paused, found.activity) == (False, ProjectionState.RUNNING)
        assert not (await desk.record()).paused


class Away:
    """A log that does not answer."""

    async def head(self) -> int:
        """Fail."""
        raise StorageUnavailable("PostgreSQL", "gone")


@pytest.mark.parametrize("log", [None, Away()])
async def test_without_the_log_the_head_is_the_one_that_was_seen_last(log):
    """A process without PostgreSQL, or one that does not reach it, shows the rest."""
    desk = Desk()
    await desk.begin()
    await desk.reach(1, 4)
    mediator = Mediator()
    for each in of_projections(desk.store, [NOTES], log):
        mediator.register(each)
    found = await mediator.send(GetProjection("notes"))
    assert (found.position, found.head) == (4, 4)


async def test_there_may_be_no_projection():
    """Before the first start of a projector."""
    mediator = Mediator()
    for each in of_projections(MemoryReadModel(), [NOTES], new_log()):
        mediator.register(each)
    assert await mediator.send(ListProjections()) == []
