"""An event that cannot be applied is tried again, and then stops its projection: only that."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.framework.eventsourcing import Append, Event, EventRegistry
from app.framework.projections import ProjectionState, Projector
from tests.following import QUICK, WatchedLog, catch_up, running, statuses, until
from tests.notes import (
    NOTE_EVENTS,
    NOTES,
    NoteAdded,
    NoteWritten,
    append,
    folded,
    new_log,
    write_notes,
)
from tests.unit.projecting.refusing import refusing


async def texts(store: MemoryReadModel, view: str = "notes") -> list[str]:
    """What the note says in a view."""
    return (await store.get(view, "a")).document["texts"]


async def test_an_event_that_cannot_be_applied_stops_its_projection(log, store, caplog):
    """After some tries, with all before it applied and nothing after; others go on."""
    await write_notes(log, "x", "y", "poison", "z")
    tries = []

    def refuses(text: str) -> bool:
        if text == "poison":
            tries.append(text)
        return text == "poison"

    bad = refusing("bad", refuses)
    watched = WatchedLog(log)
    projector = Projector(watched, store, [bad, NOTES], options=QUICK)
    async with running(projector.run()) as task:
        await until(lambda: projector.statuses[0].state is ProjectionState.STOPPED)
        await append(log, "a", NoteAdded("later"))
        await watched.read_to_its_end()
        assert not task.done()
    assert await texts(store, "bad") == ["begin", "x", "y"]
    assert await texts(store) == ["begin", "x", "y", "poison", "z", "later"]
    stopped, going = await statuses(store)
    assert (stopped.name, stopped.state, stopped.position) == ("bad", ProjectionState.STOPPED, 3)
    assert stopped.error.endswith("ValueError: cannot apply poison")
    assert (going.name, going.state, going.position) == ("notes", ProjectionState.RUNNING, 6)
    assert len(tries) >= QUICK.tries
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "Stopped at position 3"
    assert record.exc_info


async def test_a_stopped_projection_goes_on_after_a_restart(log, store):
    """When the fold was mended, from where it stopped."""
    await write_notes(log, "x", "poison", "z")
    assert (await catch_up(log, store, refusing("notes", "poison".__eq__))).position == 2
    status = await catch_up(log, store, NOTES)
    assert (status.state, status.position, status.error) == (ProjectionState.RUNNING, 4, None)
    assert await store.load(NOTES.id, ["a"]) == await folded(log, NOTES)


async def test_an_event_that_is_refused_for_a_while_is_applied(log, store):
    """It is tried again, and the projection runs as before."""
    await write_notes(log, "x", "later", "z")
    refusals = iter([True, True])
    moody = refusing("notes", lambda text: text == "later" and next(refusals, False))
    status = await catch_up(log, store, moody)
    assert (status.state, status.position, status.error) == (ProjectionState.RUNNING, 4, None)
    assert await texts(store) == ["begin", "x", "later", "z"]


async def test_a_projection_that_retries_says_so(log, store):
    """With the reason, until it has recovered."""
    await write_notes(log, "later")
    seen = []

    def refuse(_: str) -> bool:
        seen.append(projector.statuses[0])
        return len(seen) < QUICK.tries

    projector = Projector(log, store, [refusing("notes", refuse)], options=QUICK)
    async with running(projector.run()):
        await until(lambda: projector.statuses[0].position == 2)
    assert seen[-1].state is ProjectionState.RETRYING
    assert seen[-1].error.endswith("ValueError: cannot apply later")
    assert projector.statuses[0].error is None


@dataclass(frozen=True, slots=True)
class NoteLost(Event):
    """What only a later release of the app knows of."""

    event_type: ClassVar[str] = "NoteLost"


async def test_a_projection_waits_at_an_event_that_its_process_does_not_know(store, caplog):
    """It is of a newer release: a process of that goes on, and nothing is passed over."""
    log = new_log(NoteLost)
    await write_notes(log, "x")
    await append(log, "a", NoteLost())
    older = MemoryEventStore(EventRegistry(NOTE_EVENTS))
    older._log, older._streams = log._log, log._streams
    status = await catch_up(older, store, NOTES)
    assert (status.state, status.position) == (ProjectionState.WAITING, 2)
    assert "No event class is registered for 'NoteLost'" in (status.error or "")
    assert await texts(store) == ["begin", "x"]
    assert "Waiting at position 2" in caplog.messages


async def test_an_older_process_goes_on_after_an_event_of_a_newer_one(store):
    """Which the newer one had applied before it was rolled back."""
    log = new_log(NoteLost)
    await write_notes(log, "x")
    await append(log, "a", NoteLost())
    assert (await catch_up(log, store, NOTES)).position == 3
    older = MemoryEventStore(EventRegistry(NOTE_EVENTS))
    older._log, older._streams = log._log, log._streams
    assert (await catch_up(older, store, NOTES)).state is ProjectionState.RUNNING
    await older.append(Append("note-a", 3, [NoteAdded("later")]))
    status = await catch_up(older, store, NOTES)
    assert (status.state, status.position) == (ProjectionState.RUNNING, 4)
    assert await texts(store) == ["begin", "x", "later"]


async def test_a_read_model_of_another_log_is_left_alone(store, log):
    """A checkpoint past the head of the log means that the two do not belong together."""
    await write_notes(log, "x", "y")
    await catch_up(log, store, NOTES)
    other = new_log()
    await append(other, "b", NoteWritten("other"))
    status = await catch_up(other, store, NOTES)
    assert status.state is ProjectionState.STOPPED
    assert status.error is not None
    assert status.error.startswith("LogRestored: The log no longer has the event at position 3")
    assert await store.get("notes", "b") is None
    assert (await statuses(store))[0].position == 3
