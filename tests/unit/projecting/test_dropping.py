"""The documents of a build that is over are dropped, whatever its holder does meanwhile."""

import asyncio

from app.framework.projections import Projector, TakeOver
from tests.eventful import EventfulStore
from tests.following import QUICK, builds, until, working
from tests.notes import NOTES, NoteWritten, append


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
