"""What operators decide lasts, while a projector works on the builds."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from app.framework.administration import (
    BeginBuild,
    GetBuild,
    ListParkedDocuments,
    PauseProjection,
    ReplayDocument,
    ResumeProjection,
    RetireBuild,
    ServeBuild,
)
from app.framework.projections import BuildState, Projection, Projector, TakeOver
from tests.following import QUICK, eventually, running
from tests.notes import NOTES, folded, notes
from tests.unit.administration.desk import Desk
from tests.unit.administration.parking import parking

SECOND = notes(version=2)
TURNS = 20


class Turns:
    """A store of builds that counts how often a projector has looked at it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.looks = 0

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        if name == "projections":
            self.looks += 1
        method: Callable[..., Awaitable[object]] = getattr(self._desk.store, name)
        return method

    async def pass_by(self) -> None:
        """Return after the projector has looked again and again, and could have acted."""
        due = self.looks + TURNS

        async def passed() -> bool:
            return self.looks >= due

        await eventually(passed)


@contextlib.asynccontextmanager
async def projecting(desk: Desk, *known: Projection) -> AsyncIterator[Turns]:
    """A projector with the code of `known`."""
    turns = Turns(desk)
    store: object = turns
    projector = Projector(
        desk.log,
        store,  # type: ignore[arg-type]
        known,
        options=QUICK,
        holder="here",
    )
    async with running(projector.run()):
        yield turns


def serves(desk: Desk, number: int) -> Callable[[], Awaitable[bool]]:
    """Whether this build serves."""

    async def looked_up() -> bool:
        found = await desk.store.projections()
        serving = found[0].serving_build if found else None
        return serving is not None and serving.number == number and serving.has_caught_up

    return looked_up


def is_in(desk: Desk, number: int, state: BuildState) -> Callable[[], Awaitable[bool]]:
    """Whether this build is in `state`, and is worked on."""

    async def looked_up() -> bool:
        found = await desk.send(GetBuild("notes", number))
        return found.state is state and found.holder is not None

    return looked_up


async def test_a_rebuild_takes_over_when_it_is_equal():
    """By itself; the one before is kept and followed."""
    desk = Desk()
    await desk.write(9)
    async with projecting(desk, NOTES):
        await eventually(serves(desk, 1))
        await desk.send(BeginBuild("notes"))
        await eventually(serves(desk, 2))
        await eventually(is_in(desk, 1, BuildState.KEPT))
        found = await desk.send(GetBuild("notes", 2))
        assert (found.comparison.compared, found.comparison.differing) == (9, 0)


async def test_a_rebuild_waits_for_the_operator_if_it_is_to():
    """And when the operator goes back, it stays so."""
    desk = Desk()
    await desk.write(9)
    async with projecting(desk, NOTES) as turns:
        await eventually(serves(desk, 1))
        await desk.send(BeginBuild("notes", TakeOver.ON_REQUEST))
        await eventually(is_in(desk, 2, BuildState.READY))
        await turns.pass_by()
        assert await serves(desk, 1)()
        await desk.send(ServeBuild("notes", 2))
        await turns.pass_by()
        await desk.send(ServeBuild("notes", 1))
        await turns.pass_by()
        assert await serves(desk, 1)()


async def test_a_version_that_was_gone_back_from_does_not_take_over_again():
    """Nor is it built again when its build is retired, until an operator wants it."""
    desk = Desk(NOTES, SECOND)
    await desk.write(9)
    async with projecting(desk, NOTES):
        await eventually(serves(desk, 1))
    async with projecting(desk, NOTES, SECOND) as turns:
        await eventually(serves(desk, 2))
        await eventually(is_in(desk, 1, BuildState.KEPT))
        await desk.send(ServeBuild("notes", 1))
        await turns.pass_by()
        assert await serves(desk, 1)()
        await desk.send(RetireBuild("notes", 2))
        await turns.pass_by()
        assert await serves(desk, 1)()
        assert len((await desk.record()).builds) == 2
        assert (await desk.send(BeginBuild("notes"))).version == 2
        await eventually(serves(desk, 3))


async def test_a_version_that_yielded_stays_back_once_an_operator_confirms_it():
    """The old code serves for the new for now; confirmed, it serves for good."""
    desk = Desk(NOTES, SECOND)
    await desk.write(9)
    async with projecting(desk, NOTES):
        await eventually(serves(desk, 1))
    async with projecting(desk, NOTES, SECOND):
        await eventually(serves(desk, 2))
    first, second = (each.id for each in (await desk.record()).builds)
    assert await desk.store.switch("notes", serving=second, to=first, yields=True)
    await desk.send(ServeBuild("notes", 1))
    async with projecting(desk, NOTES, SECOND) as turns:
        await eventually(is_in(desk, 2, BuildState.KEPT))
        await turns.pass_by()
        assert await serves(desk, 1)()


async def test_a_paused_projection_stands_still_until_it_is_resumed():
    """A rebuild too."""
    desk = Desk()
    await desk.write(4)
    async with projecting(desk, NOTES) as turns:
        await eventually(serves(desk, 1))
        await desk.send(PauseProjection("notes"))
        await turns.pass_by()
        await desk.write(4)
        await desk.send(BeginBuild("notes"))
        await turns.pass_by()
        found = await desk.record()
        assert [(each.position, each.holder) for each in found.builds] == [(4, None), (0, None)]
        await desk.send(ResumeProjection("notes"))
        await eventually(serves(desk, 2))
        assert (await desk.record()).builds[1].position == 8


async def test_a_projector_replays_what_an_operator_asks_it_to():
    """Once its fold is corrected; before that, the document stays parked."""
    desk = await parking("a")

    async def is_parked() -> bool:
        return bool((await desk.send(ListParkedDocuments("notes"))).items)

    async def is_level() -> bool:
        return not await is_parked()

    async with projecting(desk, NOTES) as turns:
        await turns.pass_by()
        assert await is_parked()
        await desk.send(ReplayDocument("notes", "a"))
        await eventually(is_level)
    due = await folded(desk.log, NOTES)
    assert await desk.store.load(NOTES.id, due) == due
