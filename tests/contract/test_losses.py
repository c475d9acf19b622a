"""A log that was restored, and documents that are lost, are noticed: on every read model."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import (
    BuildState,
    Condemned,
    Projection,
    ProjectionState,
    Projector,
    ReadModelBehind,
    TakeOver,
)
from tests.following import QUICK, builds, catch_up, working
from tests.notes import NoteAdded, NoteWritten, append, folded, new_log, notes

numbers = itertools.count()


@pytest.fixture
def projection() -> Projection:
    """Notes under a name that no other test has."""
    return notes(name=f"losses{next(numbers)}")


async def build_of(store, projection: Projection):
    """The newest build of a projection."""
    return [each for each in await builds(store) if each.name == projection.name][-1]


async def until_it_serves(store, projection: Projection, number: int) -> None:
    """Return once a build serves and no other is begun."""
    async with asyncio.timeout(10):
        while True:
            found = await build_of(store, projection)
            if (found.number, found.state) == (number, BuildState.SERVING):
                return
            await asyncio.sleep(0.01)


async def log_of(*texts: str) -> MemoryEventStore:
    """A log of one note."""
    log = new_log()
    await append(log, "a", NoteWritten("begin"))
    for each in texts:
        await append(log, "a", NoteAdded(each))
    return log


@pytest.mark.parametrize("after", [[], ["other"], ["other", "and", "more"]])
async def test_a_log_that_was_restored_is_noticed(read_model, projection, after):
    """Whether it is shorter than what was applied, as long, or has grown past it."""
    await catch_up(await log_of("lost"), read_model, projection)
    restored = await log_of(*after)
    status = await catch_up(restored, read_model, projection)
    assert status.state is ProjectionState.STOPPED
    assert "python -m app projections rebuild --all" in (status.error or "")
    assert (await build_of(read_model, projection)).condemned is Condemned.LOG_RESTORED
    with pytest.raises(ReadModelBehind):
        await read_model.get(projection.name, "a", at_least=1)
    assert (await read_model.get(projection.name, "a")).document["texts"] == ["begin", "lost"]


async def test_a_restored_log_is_noticed_by_a_projector_that_runs(read_model, projection):
    """At the next batch, though the log has grown past its checkpoint in no time."""
    log = await log_of("lost")
    projector = Projector(log, read_model, [projection], options=QUICK)
    async with working(projector), asyncio.timeout(5):
        await until_at(read_model, projection, 2)
        restored = await log_of("other", "and", "more")
        log._log, log._streams = restored._log, restored._streams
        while not (await build_of(read_model, projection)).condemned:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await read_model.get(projection.name, "a")).document["texts"] == ["begin", "lost"]


async def until_at(store, projection: Projection, position: int) -> None:
    """Return once the newest build is at a position."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(IndexError):
                if (await build_of(store, projection)).position >= position:
                    return
            await asyncio.sleep(0.01)


async def test_a_rebuild_mends_it(read_model, projection):
    """It takes over when it has caught up: there is nothing to compare it with."""
    await catch_up(await log_of("lost", "too"), read_model, projection)
    restored = await log_of("other")
    await catch_up(restored, read_model, projection)
    begun = await read_model.begin(projection, take_over=TakeOver.WHEN_EQUAL, known=1)
    projector = Projector(restored, read_model, [projection], options=QUICK)
    async with working(projector):
        await until_it_serves(read_model, projection, 2)
    assert await read_model.load(begun, ["a"]) == await folded(restored, projection)
    old = next(each for each in await builds(read_model) if each.name == projection.name)
    assert old.state is BuildState.FAILED


async def test_a_condemned_build_is_not_followed_any_more(read_model, projection):
    """Though its own log is back: it would say that it runs, while no token is believed."""
    log = await log_of("lost")
    await catch_up(log, read_model, projection)
    await catch_up(await log_of("other"), read_model, projection)
    condemned = await build_of(read_model, projection)
    await append(log, "a", NoteAdded("later"))
    after_it = notes(name=f"{projection.name}z")
    projector = Projector(log, read_model, [projection, after_it], options=QUICK)
    async with working(projector):
        await until_at(read_model, after_it, 3)
        (trouble,) = projector.troubles()
    found = await build_of(read_model, projection)
    assert (found.epoch, found.position) == (condemned.epoch, 2)
    assert trouble.startswith(f"{projection.name} is stopped: LogRestored: ")


async def test_a_rebuild_reads_nothing_of_the_log_that_is_lost(read_model, projection):
    """By the projector that has read the lost one, and shares what it reads among its builds."""
    log = await log_of("lost", "and", "so", "on")
    projector = Projector(log, read_model, [projection], options=QUICK)
    async with working(projector):
        await until_at(read_model, projection, 5)
        restored = await log_of("other", "and", "much", "more")
        log._log, log._streams = restored._log, restored._streams
        async with asyncio.timeout(5):
            while not (await build_of(read_model, projection)).condemned:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        begun = await read_model.begin(projection, take_over=TakeOver.WHEN_EQUAL, known=1)
        await until_it_serves(read_model, projection, 2)
    assert await read_model.load(begun, ["a"]) == await folded(log, projection)


async def lose_documents(read_model, build: str) -> None:
    """Drop the collection of a build."""
    if isinstance(read_model, MemoryReadModel):
        del read_model._documents[build]
    else:
        await read_model._client.primary(build).drop()


@pytest.mark.parametrize("is_running", [False, True])
async def test_lost_documents_are_rebuilt(read_model, projection, is_running):
    """By themselves, beside what is left; a token is not answered from what is not there."""
    log = await log_of("x")
    options = replace(QUICK, check_seconds=0.05)
    await catch_up(log, read_model, projection)
    if not is_running:
        await lose_documents(read_model, projection.id)
    projector = Projector(log, read_model, [projection], options=options)
    async with working(projector):
        if is_running:
            await append(log, "a", NoteAdded("y"))
            await until_at(read_model, projection, 3)
            await lose_documents(read_model, projection.id)
        await until_it_serves(read_model, projection, 2)
    found = await build_of(read_model, projection)
    assert await read_model.load(found.id, ["a"]) == await folded(log, projection)


async def test_a_read_model_that_was_dropped_is_rebuilt(read_model, projection):
    """Checkpoints and documents."""
    log = await log_of("x")
    projector = Projector(log, read_model, [projection], options=QUICK)
    async with working(projector):
        await until_at(read_model, projection, 2)
        if isinstance(read_model, MemoryReadModel):
            read_model._documents.clear()
            read_model._builds.clear()
            read_model._projections.clear()
        else:
            await read_model._client.primary("projections").drop()
            await read_model._client.primary(projection.id).drop()
        await append(log, "a", NoteAdded("y"))
        await until_at(read_model, projection, 3)
    assert await read_model.load(projection.id, ["a"]) == await folded(log, projection)
