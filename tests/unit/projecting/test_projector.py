"""Projectors: how they go on, and what they say of it."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import Index, ProjectionState, Projector, ProjectorOptions
from app.framework.projections.pacing import Rest
from app.framework.storage import StorageUnavailable
from tests.eventful import EventfulStore
from tests.following import QUICK, WatchedLog, catch_up, prepare, running, statuses, until
from tests.notes import (
    NOTES,
    NoteAdded,
    NoteErased,
    NoteWritten,
    append,
    folded,
    notes,
    write_notes,
)


async def test_events_are_applied_as_they_are_appended(log, store):
    """By a projector that runs on, woken by the append itself, long before it would look."""
    options = ProjectorOptions(poll_seconds=60)
    projector = Projector(log, store, [NOTES], options=options)
    async with running(projector.run()), asyncio.timeout(5):
        for number in range(1, 4):
            await append(log, "a", NoteWritten("x"), NoteErased())
            await until(partial(lambda due: projector.statuses[0].position == due, 2 * number))
    assert await store.load(NOTES.id, ["a"]) == await folded(log, NOTES)


async def test_a_projector_says_how_far_it_is(log, store):
    """In its own process, and in the store for others."""
    await write_notes(log, "x", "y")
    status = await catch_up(log, store, NOTES)
    assert (status.name, status.version, status.position, status.head, status.lag) == (
        "notes",
        1,
        3,
        3,
        0,
    )
    assert status.state is ProjectionState.RUNNING
    assert [replace(each, seen_at=None) for each in await statuses(store)] == [
        replace(status, seen_at=None)
    ]


async def test_the_head_is_known_while_a_projector_is_behind(log, store):
    """So that the lag can be seen before it has caught up."""
    await write_notes(log, *"abcdefghi")
    lags = []

    async def note_lag(step: str) -> None:
        if step == "after save":
            lags.append((await statuses(store))[0].lag)

    await catch_up(log, EventfulStore(store, note_lag), NOTES, replace(QUICK, batch=4))
    assert lags[:3] == [6, 2, 0]


async def test_a_projector_says_that_it_is_alive(log, store):
    """With nothing to apply it saves its status at every heartbeat."""
    saves = 0

    async def count(step: str) -> None:
        nonlocal saves
        saves += step == "after save"

    options = replace(QUICK, heartbeat_seconds=0)
    projector = Projector(log, EventfulStore(store, count), [NOTES], options=options)
    async with running(projector.run()):
        await until(lambda: saves > 3)
    assert projector.statuses[0].position == 0


async def test_a_new_version_serves_though_the_log_never_rests(log, store):
    """Once it has been at the end; it need not find the log at rest."""
    await write_notes(log, "x")
    await catch_up(log, store, NOTES)
    second = notes(version=2)
    added = 0

    async def keep_busy(step: str) -> None:
        nonlocal added
        if step == "before write":
            added += 1
            await append(log, "a", NoteAdded(f"{added}"))

    projector = Projector(log, EventfulStore(store, keep_busy), [second], options=QUICK)
    async with running(projector.run()):
        await until(lambda: added > 10)
    assert (await store.get("notes", "a")).document["texts"][:4] == ["begin", "x", "1", "2"]


async def test_events_that_come_in_quick_succession_are_applied_together(log, store):
    """A projector that has come to the end of the log rests for a moment."""
    batches = 0

    async def count(step: str) -> None:
        nonlocal batches
        batches += step == "before save"

    options = replace(QUICK, batch=100, rest_seconds=0.5)
    projector = Projector(log, EventfulStore(store, count), [NOTES], options=options)
    async with running(projector.run()):
        await append(log, "a", NoteWritten("x"))
        for number in range(50):
            await append(log, "a", NoteAdded(str(number)))
            await asyncio.sleep(0.002)
        await until(lambda: projector.statuses[0].position == 51)
    assert batches < 25


async def test_a_projector_rests_the_longer_the_more_there_was_to_apply(log, store):
    """What comes after a lone event is applied soon; after many, more are let gather."""
    options = replace(QUICK, batch=100, rest_seconds=0.5, poll_seconds=60)
    projector = Projector(log, store, [NOTES], options=options)
    clock = asyncio.get_running_loop().time

    async def seconds_until_applied(note: str, *more: NoteAdded) -> float:
        began = clock()
        await append(log, note, NoteWritten("x"), *more)
        head = await log.head()
        await until(lambda: projector.statuses[0].position == head)
        return clock() - began

    async with running(projector.run()):
        await seconds_until_applied("first")
        after_one = await seconds_until_applied("many", *[NoteAdded("y")] * 60)
        after_many = await seconds_until_applied("last")
    assert after_one < 0.3
    assert after_many > 0.4


async def test_those_that_rest_together_go_on_together():
    """Whoever comes later, and would rest for longer, joins the one who rests already."""
    rest, clock = Rest(), asyncio.get_running_loop().time
    ends = []

    async def take(seconds: float) -> None:
        await rest.take(seconds)
        ends.append(clock())

    began = clock()
    first = asyncio.create_task(take(0.1))
    await asyncio.sleep(0.01)
    await take(5)
    await first
    assert ends[-1] - began < 2
    await take(0.1)
    assert ends[-1] - ends[-2] > 0.09


async def test_documents_that_events_begin_are_not_loaded(log, store):
    """The others are."""
    steps = []

    async def note_step(step: str) -> None:
        steps.append(step)

    await append(log, "a", NoteWritten("x"))
    await append(log, "b", NoteWritten("x"), NoteAdded("y"))
    await catch_up(log, EventfulStore(store, note_step), NOTES)
    assert "before load" not in steps
    await append(log, "a", NoteAdded("y"))
    await catch_up(log, EventfulStore(store, note_step), NOTES)
    assert "before load" in steps
    assert await store.load(NOTES.id, ["a", "b"]) == await folded(log, NOTES)


async def test_projections_that_are_equally_far_read_the_log_once(log, store):
    """An append wakes them together, and what they ask for is the same."""
    reads = 0

    class CountedLog(WatchedLog):
        async def read(self, *, after, limit):
            nonlocal reads
            reads += 1
            await asyncio.sleep(0)
            return await super().read(after=after, limit=limit)

    projections = [notes(name=each) for each in "abcdefgh"]
    options = replace(QUICK, batch=100, rest_seconds=0.05, poll_seconds=60)
    projector = Projector(CountedLog(log), store, projections, options=options)
    async with running(projector.run()):
        for number in range(1, 5):
            await append(log, f"{number}", NoteWritten("x"))
            await until(
                partial(
                    lambda due: [each.position for each in projector.statuses] == due, [number] * 8
                )
            )
    assert reads < 8 * 4


async def test_a_projector_ends_when_it_is_cancelled(log, store):
    """With all of its projections, wherever they are."""
    projector = Projector(log, store, [NOTES, notes(name="others")], options=QUICK)
    task = asyncio.create_task(projector.run())
    await until(lambda: all(each.position == 0 for each in projector.statuses))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert not [each for each in asyncio.all_tasks() if each.get_name().startswith("projection ")]


async def test_a_projector_that_is_told_to_stop_ends_its_batch(log, store):
    """Nothing of it is left to be repeated, and nothing after it is begun."""
    for number in range(5):
        await append(log, "a", NoteAdded(str(number)) if number else NoteWritten("x"))

    async def stop(step: str) -> None:
        if step == "before write":
            projector.stop()

    projector = Projector(log, EventfulStore(store, stop), [NOTES], options=QUICK)
    async with asyncio.timeout(5):
        await projector.run()
    assert await prepare(store, NOTES) == QUICK.batch
    assert (await store.load(NOTES.id, ["a"]))["a"].position == QUICK.batch


async def test_a_cancellation_that_a_driver_loses_keeps_no_projector_alive(log, store, monkeypatch):
    """Not even while it renews its leases, which nothing else would end."""
    monkeypatch.setattr("app.framework.projections.leases.RENEW_SECONDS", 0.001)
    renewing = asyncio.Event()

    class Deaf(EventfulStore):
        async def renew(self, leases):
            renewing.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return leases[:0]

    async def nothing(_: str) -> None:
        return

    projector = Projector(log, Deaf(store, nothing), [NOTES], options=QUICK)
    task = asyncio.create_task(projector.run())
    async with asyncio.timeout(5):
        await renewing.wait()
        projector.stop()
        await asyncio.wait([task])
    assert task.done()


async def test_a_projector_that_waits_for_a_storage_stops_at_once(log, store):
    """It does not sleep its pause out."""

    async def refuse(_step: str) -> None:
        raise StorageUnavailable("Store", "gone")

    patient = ProjectorOptions(first_backoff_seconds=60, last_backoff_seconds=60)
    projector = Projector(log, EventfulStore(store, refuse), [NOTES], options=patient)
    async with running(projector.run()) as task, asyncio.timeout(5):
        await until(lambda: projector.statuses[0].state is ProjectionState.RETRYING)
        projector.stop()
        await task


def test_nothing_happens_before_a_projector_runs(log, store):
    """Its statuses are there, and say that nothing is known."""
    projector = Projector(log, store, [NOTES])
    (status,) = projector.statuses
    assert (status.name, status.version, status.position, status.lag) == ("notes", 1, None, None)


async def test_a_build_beside_gets_its_indexes_when_it_is_filled(log):
    """They would slow every batch down; it has caught up, and may serve, once they are there."""
    prepared: list[tuple[str, Sequence[Index], int, bool]] = []

    class Noting(MemoryReadModel):
        async def prepare(self, build: str, indexes: Sequence[Index]) -> None:
            await super().prepare(build, indexes)
            found = [
                it for each in await self.projections() for it in each.builds if it.id == build
            ]
            prepared.append((build, indexes, found[0].position, found[0].has_caught_up))

    store, beside = Noting(), notes(version=2)
    await write_notes(log, *"abc")
    await catch_up(log, store, NOTES)
    projector = Projector(log, store, [NOTES, beside], options=QUICK)
    async with running(projector.run()), asyncio.timeout(5):
        await until(lambda: any(each.serving == beside.id for each in projector.records))
    assert [each for each in prepared if each[0] == beside.id] == [
        (beside.id, (), 0, False),
        (beside.id, beside.indexes, await log.head(), False),
    ]
    assert prepared[0] == (NOTES.id, NOTES.indexes, 0, False)
