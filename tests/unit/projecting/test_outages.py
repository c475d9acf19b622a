"""Storage that is away is tried for ever, and nothing is lost by it."""

import logging
from dataclasses import replace
from functools import partial

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.observability.outages import end_outages
from app.framework.projections import ProjectionState, Projector
from app.framework.storage import StorageUnavailable
from tests.eventful import EventfulStore
from tests.following import QUICK, WatchedLog, catch_up, eventually, running, statuses, until
from tests.notes import LOG, NOTES, folded, write_notes
from tests.unit.projecting.refusing import refusing


class Outage:
    """A store whose storage cannot be reached for so many steps; it counts the tries."""

    def __init__(self, store: MemoryReadModel, error: Exception | None = None) -> None:
        self.store = EventfulStore(store, self._happen)
        self.error = error or StorageUnavailable("Store", "gone")
        self.left = 0
        self.tries = 0

    async def _happen(self, step: str) -> None:
        self.tries += step.startswith("before")
        if self.left and (step.startswith("before") or step == "amid write"):
            self.left -= 1
            raise self.error


@pytest.mark.parametrize("begin_at", range(8))
async def test_storage_that_is_away_is_tried_again_for_ever(log, store, begin_at):
    """Much more often than an event that cannot be applied, and whatever step it comes at."""
    await write_notes(log, *"abcdefgh")
    outage = Outage(store)
    steps = 0

    async def begin_outage(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == begin_at:
            outage.left = 10 * QUICK.tries

    status = await catch_up(log, EventfulStore(outage.store, begin_outage), NOTES)
    assert (status.state, status.position, status.error) == (ProjectionState.RUNNING, 9, None)
    assert await store.load(NOTES.id, ["a"]) == await folded(log, NOTES)
    assert outage.left == 0


async def test_storage_that_refuses_for_a_while_is_no_fault_of_an_event(log, store):
    """Whatever a store raises, credentials that changed say, does not stop a projection."""
    await write_notes(log, *"abc")
    outage = Outage(store, PermissionError("who are you?"))
    outage.left = 5 * QUICK.tries
    status = await catch_up(log, outage.store, NOTES)
    assert (status.state, status.position) == (ProjectionState.RUNNING, 4)


async def test_no_document_is_written_while_the_log_is_away(store, log, monkeypatch):
    """It would be newer than the position beside which queries keep it, as long as that lasts."""
    await write_notes(log, *"abcdefgh")
    left, left_at_writes = 5, []

    head = log.head

    async def head_when_it_is_back() -> int:
        nonlocal left
        if left:
            left -= 1
            raise StorageUnavailable("PostgreSQL", "gone")
        return await head()

    async def note_write(step: str) -> None:
        if step == "before write":
            left_at_writes.append(left)

    monkeypatch.setattr(log, "head", head_when_it_is_back)
    status = await catch_up(log, EventfulStore(store, note_write), NOTES)
    assert status.position == 9
    assert set(left_at_writes) == {0}


async def test_a_log_that_is_away_for_longer_is_said_to_other_processes(store, log):
    """Which reach it themselves, and would say that the projection runs; until it is back."""
    away = True

    class Log(WatchedLog):
        async def read(self, *, after, limit):
            if away:
                raise StorageUnavailable("PostgreSQL", "gone")
            return await super().read(after=after, limit=limit)

    async def is_said(state: ProjectionState, error: str | None) -> bool:
        return [(each.state, each.error) for each in await statuses(store)] == [(state, error)]

    await write_notes(log, "x")
    async with running(Projector(Log(log), store, [NOTES], options=QUICK).run()):
        gone = "StorageUnavailable: PostgreSQL is unavailable: gone"
        await eventually(partial(is_said, ProjectionState.RETRYING, gone))
        away = False
        await eventually(partial(is_said, ProjectionState.RUNNING, None))


async def test_what_a_driver_says_is_in_the_log_and_not_in_the_status(log, store, caplog):
    """Clients read the status, and drivers name hosts and users."""
    outage = Outage(store, PermissionError("who are you, 10.0.0.7?"))
    outage.left = 50
    projector = Projector(log, outage.store, [NOTES], options=QUICK)
    async with running(projector.run()):
        await until(lambda: outage.tries > 10)
        error = projector.statuses[0].error
    assert error == "PermissionError: see the log of the projector"
    assert "10.0.0.7" in caplog.text


async def test_a_projection_that_cannot_say_that_it_stopped_takes_no_other_along(log, store):
    """Whatever the store raises then, the others go on."""
    await write_notes(log, "poison")
    bad = refusing("bad", "poison".__eq__)

    async def refuse_to_save_bad(step: str) -> None:
        if step == "before save" and projector.statuses[0].state is ProjectionState.STOPPED:
            raise PermissionError("who are you?")

    watched = WatchedLog(log)
    eventful = EventfulStore(store, refuse_to_save_bad)
    projector = Projector(watched, eventful, [bad, NOTES], options=QUICK)
    async with running(projector.run()) as task:
        await until(lambda: projector.statuses[0].state is ProjectionState.STOPPED)
        await until(lambda: projector.statuses[1].position == 2)
        assert not task.done()


async def test_what_was_written_without_an_answer_is_written_again(log, store):
    """The checkpoint is saved only after a write of all it covers has returned."""
    await write_notes(log, "x")
    told = []

    class Forgetful(EventfulStore):
        """Writes, and at the first time does not get to say so."""

        async def write(self, build, documents, *, created=()) -> None:
            await store.write(build, documents, created=created)
            told.append(dict(documents))
            if len(told) == 1:
                raise StorageUnavailable("Store", "gone")

    async def nothing(_) -> None:
        pass

    await catch_up(log, Forgetful(store, nothing), NOTES)
    [_, *again] = told
    assert again[-1] == told[0] == await folded(log, NOTES)


async def test_a_storage_that_is_slow_is_given_as_much_as_it_can_bear(log, store):
    """Having failed with a batch, it is not given as large a one again at once."""
    await write_notes(log, *["x"] * 2000)
    sizes = []

    class Slow(EventfulStore):
        async def write(self, build, documents, *, created=()) -> None:
            sizes.append(len(documents))
            if len(documents) > 50:
                raise StorageUnavailable("Store", "no answer in time")
            await super().write(build, documents, created=created)

    async def nothing(_) -> None:
        pass

    await catch_up(log, Slow(store, nothing), LOG, replace(QUICK, batch=100))
    assert sum(size > 50 for size in sizes) < len(sizes) / 4
    expected = await folded(log, LOG)
    assert await store.load(LOG.id, expected.keys()) == expected


async def test_an_outage_is_told_once(log, store, caplog):
    """Not at every try; and the status says what is wrong."""
    end_outages()
    caplog.clear()
    outage = Outage(store)
    outage.left = 50
    projector = Projector(log, outage.store, [NOTES], options=QUICK)
    async with running(projector.run()):
        await until(lambda: outage.tries > 10)
        status = projector.statuses[0]
        assert status.state is ProjectionState.RETRYING
        assert status.error == "StorageUnavailable: Store is unavailable: gone"
        await until(lambda: projector.statuses[0].state is ProjectionState.RUNNING)
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1


async def test_outages_do_not_count_against_an_event(log, store):
    """An event that is refused once, after a long outage, is still tried again."""
    await write_notes(log, "later")
    outage = Outage(store)
    outage.left = QUICK.tries - 1
    refusals = iter([True])
    moody = refusing("notes", lambda _: next(refusals, False))
    status = await catch_up(log, outage.store, moody)
    assert (status.state, status.position) == (ProjectionState.RUNNING, 2)


async def test_an_outage_does_not_hide_an_event_that_cannot_be_applied(log, store):
    """It stops its projection though the storage was away longer than an event is tried."""
    await write_notes(log, "poison")
    outage = Outage(store)
    outage.left = 5 * QUICK.tries
    status = await catch_up(log, outage.store, refusing("notes", "poison".__eq__))
    assert (status.state, status.position) == (ProjectionState.STOPPED, 1)


async def says(store: MemoryReadModel, state: ProjectionState) -> bool:
    """Whether this is the stored state of the projection."""
    return (await statuses(store))[0].state is state


async def test_a_projection_stops_though_it_cannot_say_so_yet(log, store):
    """It tells the store when that is back."""
    await write_notes(log, "poison")
    outage = Outage(store)

    def refuse(text: str) -> bool:
        outage.left = 5
        return text == "poison"

    watched = WatchedLog(log)
    projector = Projector(watched, outage.store, [refusing("notes", refuse)], options=QUICK)
    async with running(projector.run()):
        await until(lambda: projector.statuses[0].state is ProjectionState.STOPPED)
        await eventually(partial(says, store, ProjectionState.STOPPED))
    (status,) = await statuses(store)
    assert status.position == 1
