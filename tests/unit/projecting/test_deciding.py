"""What a projector decides of builds, and what it leaves to operators."""

from datetime import timedelta

from app.framework.projections import Projector
from tests.eventful import EventfulStore
from tests.following import QUICK, catch_up, running, until
from tests.notes import NOTES, notes, write_notes


async def test_a_take_over_that_comes_late_overrules_no_operator(log, store):
    """Who served the new build and went back before the projector's own switch arrived."""
    await write_notes(log, "x")
    await catch_up(log, store, NOTES)
    answers: list[bool] = []

    class Late(EventfulStore):
        async def switch(self, name, *, serving, to, **rest):
            if not answers:
                assert await store.switch(name, serving=serving, to=to)
                assert await store.switch(name, serving=to, to=serving)
            answers.append(await super().switch(name, serving=serving, to=to, **rest))
            return answers[-1]

    async def nothing(_: str) -> None:
        return

    second = notes(version=2)
    projector = Projector(log, Late(store, nothing), [NOTES, second], options=QUICK)
    async with running(projector.run()):
        await until(lambda: bool(answers))
        await until(lambda: projector.records[0].switches == 2)
    assert answers == [False]
    assert (await store.projections())[0].serving == NOTES.id


async def test_nothing_is_begun_while_a_projection_is_paused(log, store):
    """No process works on what serves then, which is no reason to replace it."""
    newer = notes(version=2)
    await catch_up(log, store, newer)
    await store.pause("notes", paused=True)
    for each in store._builds.values():
        each.seen_at -= timedelta(minutes=1)
    projector = Projector(log, store, [NOTES, notes(name="others")], options=QUICK)
    async with running(projector.run()):
        await until(lambda: projector.statuses[1].position == 0)
    assert [each.version for each in (await store.projections())[0].builds] == [2]
