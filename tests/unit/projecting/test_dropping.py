"""The documents of a build that is over are dropped, whatever its holder does meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

from app.framework.projections import Projector, TakeOver
from tests.eventful import EventfulStore
from tests.following import QUICK, builds, catch_up, until, working
from tests.notes import NOTES, NoteWritten, append, notes


async def test_a_build_that_cannot_be_dropped_holds_up_no_other(log, store, caplog):
    """The account at MongoDB may lack the right to drop collections."""
    first, last = notes(name="a"), notes(name="z")
    await append(log, "n", NoteWritten("x"))
    await catch_up(log, store, first)
    build = await store.begin(first, take_over=TakeOver.ON_REQUEST, known=1)
    assert build is not None
    await store.retire("a", build)
    store._builds[build].seen_at = datetime.now(UTC) - timedelta(minutes=1)

    async def nothing(_: str) -> None:
        return

    class Forbidding(EventfulStore):
        async def drop(self, name: str, build: str) -> None:
            raise PermissionError(f"{build} of {name} is not yours")

    projector = Projector(log, Forbidding(store, nothing), [first, last], options=QUICK)
    async with working(projector), asyncio.timeout(5):
        await until(lambda: projector.statuses[1].position == 1)
    assert f"Cannot do what is next for {build}." in caplog.messages


async def test_what_a_frozen_holder_writes_to_a_dropped_build_is_dropped(log, store):
    """Once it is awake: its write would make the collection anew, and leave it there."""
    await append(log, "a", NoteWritten("x"))
    await store.begin(NOTES, take_over=TakeOver.WHEN_CAUGHT_UP, known=0)
    build = await store.begin(NOTES, take_over=TakeOver.ON_REQUEST, known=1)
    assert build is not None
    is_frozen, wake = asyncio.Event(), asyncio.Event()

    async def freeze(step: str) -> None:
        if step == "before write" and await log.head() == 2:
            is_frozen.set()
            await wake.wait()

    projector = Projector(log, EventfulStore(store, freeze), [NOTES], options=QUICK)
    async with working(projector), asyncio.timeout(5):
        await until(lambda: build in store._documents and "a" in store._documents[build])
        await append(log, "b", NoteWritten("x"))
        await is_frozen.wait()
        await store.retire("notes", build)
        await store.drop("notes", build)
        wake.set()
        await until(lambda: build in store._documents)
        await until(lambda: build not in store._documents)
    assert [each.is_dropped for each in await builds(store)] == [False, True]
