"""Whatever happens to projectors, the documents become a fold of the log: on every read model."""

import asyncio
import contextlib
import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.projections import PageRequest, Projection
from app.framework.projections.follower import Follower
from tests.following import (
    QUICK,
    Crash,
    EventfulStore,
    WatchedLog,
    catch_up,
    prepare,
    running,
    statuses,
)
from tests.notes import (
    LOG,
    NOTES,
    NoteAdded,
    NoteErased,
    NoteRead,
    NoteWritten,
    append,
    folded,
    new_log,
    notes,
)

numbers = itertools.count()


def fresh(projection: Projection) -> Projection:
    """The same projection under a name of its own."""
    return replace(projection, name=f"{projection.name}{next(numbers)}")


async def happen_to(log: MemoryEventStore, note: str, what: str) -> None:
    """Append what may happen next to a note, whether it was never written or is erased."""
    stream = await log.load(f"note-{note}")
    if not stream or isinstance(stream[-1].event, NoteErased):
        await append(log, note, NoteWritten(what))
    elif what == "erase":
        await append(log, note, NoteErased())
    elif what == "read":
        await append(log, note, NoteRead(), NoteAdded("read"))
    else:
        await append(log, note, NoteAdded(what))


async def assert_folded(log: MemoryEventStore, store, projection: Projection) -> None:
    """All documents of `projection` are what the log leads to, and there are no others."""
    due = await folded(log, projection)
    assert await store.load(projection.id, due.keys()) == due
    alive = sum(each.document is not None for each in due.values())
    assert await store.count(projection.id, up_to=await log.head()) == alive


HAPPENINGS = st.tuples(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["erase", "read", "x", "y", "$z"])
)


@given(
    happenings=st.lists(HAPPENINGS, max_size=25),
    batch=st.integers(1, 7),
    crashes=st.lists(st.integers(0, 20), max_size=6),
    projection=st.sampled_from([NOTES, LOG]),
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_crashes_change_nothing(read_model, happenings, batch, crashes, projection):
    """A projector killed between any two steps, or amid a write, leaves its work to the next.

    Each of `crashes` is after how many happenings in a projector's life it is killed.
    """
    log, projection = new_log(), fresh(projection)
    options = replace(QUICK, batch=batch)
    for note, what in happenings:
        await happen_to(log, note, what)
    for steps in crashes:
        countdown = iter([False] * steps + [True])

        async def killed_in_time(_: str, countdown=countdown) -> None:
            if next(countdown, False):
                raise Crash

        with contextlib.suppress(Crash):
            await catch_up(log, EventfulStore(read_model, killed_in_time), projection, options)
    status = await catch_up(log, read_model, projection, options)
    assert status.position == await prepare(read_model, projection) == await log.head()
    await assert_folded(log, read_model, projection)


@pytest.mark.parametrize("seed", range(2))
async def test_projectors_at_once_do_no_harm(open_read_model, seed):
    """Several projectors on one log that grows: each document is folded as if by one."""
    chance = random.Random(seed)
    log = new_log()
    projections = [fresh(NOTES), fresh(LOG)]

    async def lose_time(_: str) -> None:
        for __ in range(chance.choice([0, 0, 0, 1, 5, 30])):
            await asyncio.sleep(0)

    async def grow() -> None:
        for _ in range(150):
            await happen_to(log, chance.choice("abcdef"), chance.choice(["erase", "x", "read"]))
            await lose_time("")

    async with contextlib.AsyncExitStack() as stack:
        logs = []
        for projection in projections:
            for batch in (2, 5, 9):
                logs.append(WatchedLog(log))
                store = EventfulStore(open_read_model(), lose_time)
                follower = Follower(logs[-1], store, projection, replace(QUICK, batch=batch))
                await stack.enter_async_context(running(follower.run()))
        await grow()
        async with asyncio.timeout(30):
            await asyncio.gather(*(each.read_to_its_end() for each in logs))
    for projection in projections:
        await assert_folded(log, open_read_model(), projection)


async def test_a_replay_changes_nothing(read_model):
    """A projector that begins again at the beginning passes over what was applied."""
    log = new_log()
    for note, what in zip("abcabcabca", "xxxyye  xe", strict=True):
        await happen_to(log, note, "erase" if what == "e" else what)
    await catch_up(log, read_model, NOTES)

    class Forgetful(EventfulStore):
        async def prepare(self, projection: Projection) -> int:
            await super().prepare(projection)
            return 0

    async def nothing(_: str) -> None:
        return

    await catch_up(log, Forgetful(read_model, nothing), NOTES)
    await assert_folded(log, read_model, NOTES)


async def test_a_new_version_serves_once_it_has_caught_up(read_model):
    """Until then queries read the old one, which goes on."""
    log = new_log()
    for _ in range(10):
        await happen_to(log, "a", "x")
    await catch_up(log, read_model, NOTES)
    second = notes(version=2)
    nearly_there, go_on = asyncio.Event(), asyncio.Event()

    async def halt(step: str) -> None:
        if step == "before serve":
            nearly_there.set()
            await go_on.wait()

    slow = EventfulStore(read_model, halt)
    watched = WatchedLog(log)
    async with running(Follower(watched, slow, second, QUICK).run()):
        await nearly_there.wait()
        # Only the old version knows of this, and only the new one of nothing.
        await happen_to(log, "b", "y")
        await catch_up(log, read_model, NOTES)
        assert await read_model.get("notes", "b") is not None
        assert await read_model.load(second.id, ["b"]) == {}
        go_on.set()
        await watched.read_to_its_end()
    assert await read_model.get("notes", "b") is not None
    assert {(each.version, each.position) for each in await statuses(read_model)} == {
        (1, 11),
        (2, 11),
    }
    await read_model.write(second.id, {"only in 2": (await read_model.load(second.id, ["a"]))["a"]})
    assert await read_model.get("notes", "only in 2") is not None


async def test_views_are_paged_as_projected(read_model):
    """What a projector wrote is found by what its indexes are for."""
    log = new_log()
    for each in "cab":
        await happen_to(log, each, "x")
    await happen_to(log, "a", "erase")
    await catch_up(log, read_model, NOTES)
    request = PageRequest({"shelf": "a"}, "written_at", 10)
    assert {each.key for each in await read_model.page("notes", request)} == {"b", "c"}
