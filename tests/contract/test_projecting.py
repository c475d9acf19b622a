"""Whatever happens to projectors, the documents become a fold of the log: on every read model."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.projections import LEASE_SECONDS, BuildState, PageRequest, Projection, Projector
from app.framework.projections.follower import Follower
from tests.eventful import Crash, EventfulStore
from tests.following import (
    HOLDER,
    QUICK,
    WatchedLog,
    catch_up,
    eventually,
    prepare,
    running,
    statuses,
    take,
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
    note,
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
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_crashes_change_nothing(read_model, happenings, batch, crashes, projection):
    """A projector killed between any two steps, or amid a write, leaves its work to the next.

    Each of `crashes` is after how many happenings in a projector's life it is killed.
    """
    log, projection = new_log(), fresh(projection)
    options = replace(QUICK, batch=batch)
    for key, what in happenings:
        await happen_to(log, key, what)
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
    """Each takes the lease from one that writes on: the documents are folded as if by one."""
    chance = random.Random(seed)
    log = new_log()
    projections = [fresh(NOTES), fresh(LOG)]

    async def lose_time(_: str) -> None:
        for __ in range(chance.choice([0, 0, 0, 1, 5, 30])):
            await asyncio.sleep(0)

    async with contextlib.AsyncExitStack() as stack:

        async def follow(projection: Projection) -> asyncio.Task[None]:
            store = EventfulStore(open_read_model(), lose_time)
            build, lease = await take(store, projection)
            options = replace(QUICK, batch=chance.choice([2, 5, 9]))
            follower = Follower(log, store, build, lease, options)
            return await stack.enter_async_context(running(follower.run()))

        tasks = {each.name: [await follow(each)] for each in projections}
        for happening in range(150):
            await happen_to(log, chance.choice("abcdef"), chance.choice(["erase", "x", "read"]))
            await lose_time("")
            if happening % 15 == 14:
                projection = chance.choice(projections)
                tasks[projection.name].append(await follow(projection))
        store, head = open_read_model(), await log.head()
        await eventually(partial(have_reached, store, projections, head))
        former = [task for each in tasks.values() for task in each[:-1]]
        async with asyncio.timeout(10):
            await asyncio.gather(*former)
        assert not any(each[-1].done() for each in tasks.values())
    for projection in projections:
        await assert_folded(log, open_read_model(), projection)


async def have_reached(store, projections: Sequence[Projection], position: int) -> bool:
    """Whether the first build of each is there."""
    found = {each.name: each.builds[0].position for each in await store.projections()}
    return all(found.get(each.name) == position for each in projections)


async def test_projectors_share_builds_out(open_read_model):
    """One works on each; when it stops, another does at once; the documents are as if by one."""
    chance = random.Random(7)
    log = new_log()
    projections = [fresh(NOTES), fresh(LOG), fresh(NOTES), fresh(LOG)]
    reader = open_read_model()
    async with contextlib.AsyncExitStack() as stack:
        projectors = [
            Projector(log, open_read_model(), projections, options=QUICK, holder=f"{each}")
            for each in range(3)
        ]
        tasks = [await stack.enter_async_context(running(each.run())) for each in projectors]
        for projector, task in zip(projectors, tasks, strict=True):
            for _ in range(30):
                await happen_to(log, chance.choice("abcdef"), chance.choice(["erase", "x"]))
            head = await log.head()
            await eventually(partial(have_reached, reader, projections, head))
            held = {each.name: each.builds for each in await reader.projections()}
            assert all(len(held[each.name]) == 1 for each in projections)
            epochs = {name: build.epoch for name, (build,) in held.items()}
            projector.stop()
            await task
            if projector is not projectors[-1]:
                async with asyncio.timeout(LEASE_SECONDS / 2):
                    await eventually(
                        partial(are_held_by_others, reader, projections, projector.holder)
                    )
                after = {each.name: each.builds[0] for each in await reader.projections()}
                for each in projections:
                    moved = held[each.name][0].holder == projector.holder
                    assert after[each.name].epoch == epochs[each.name] + moved
    for projection in projections:
        await assert_folded(log, reader, projection)


async def are_held_by_others(store, projections: Sequence[Projection], holder: str) -> bool:
    """Whether a process other than `holder` works on each."""
    found = {each.name: each.builds[0].holder for each in await store.projections()}
    return all(found[each.name] not in (None, holder) for each in projections)


async def test_a_replay_changes_nothing(read_model):
    """A projector that begins again at the beginning passes over what was applied."""
    log = new_log()
    for key, what in zip("abcabcabca", "xxxyye  xe", strict=True):
        await happen_to(log, key, "erase" if what == "e" else what)
    await catch_up(log, read_model, NOTES)

    build, lease = await take(read_model, NOTES)
    watched = WatchedLog(log)
    again = Follower(watched, read_model, build, replace(lease, position=0), QUICK)
    async with running(again.run()), asyncio.timeout(10):
        await watched.read_to_its_end()
    assert again.status.position == await log.head()
    await assert_folded(log, read_model, NOTES)


async def test_a_new_version_serves_once_it_has_caught_up(read_model):
    """Until then queries read the old one; both are followed, before and after."""
    log = new_log()
    for _ in range(10):
        await happen_to(log, "a", "x")
    await catch_up(log, read_model, NOTES)
    second = notes(version=2)
    nearly_there, go_on = asyncio.Event(), asyncio.Event()

    class Halting(EventfulStore):
        async def switch(self, *arguments, **options) -> bool:
            nearly_there.set()
            await go_on.wait()
            return await super().switch(*arguments, **options)

    async def nothing(_: str) -> None:
        return

    async def are_both_at(head: int) -> bool:
        return {(each.version, each.position) for each in await statuses(read_model)} == {
            (1, head),
            (2, head),
        }

    await read_model.write(second.id, {"only in 2": note("x", 1)})
    projector = Projector(
        log, Halting(read_model, nothing), [NOTES, second], options=QUICK, holder=HOLDER
    )
    async with running(projector.run()):
        await nearly_there.wait()
        await happen_to(log, "b", "y")
        await eventually(partial(are_both_at, 11))
        assert await read_model.get("notes", "b") is not None
        assert await read_model.get("notes", "only in 2") is None
        go_on.set()

        async def is_second_read() -> bool:
            return await read_model.get("notes", "only in 2") is not None

        await eventually(is_second_read)
        assert await read_model.get("notes", "b") is not None
        await happen_to(log, "c", "z")
        await eventually(partial(are_both_at, 12))
    (record,) = await read_model.projections()
    assert [each.state for each in record.builds] == [BuildState.KEPT, BuildState.SERVING]


async def test_views_are_paged_as_projected(read_model):
    """What a projector wrote is found by what its indexes are for."""
    log = new_log()
    for each in "cab":
        await happen_to(log, each, "x")
    await happen_to(log, "a", "erase")
    await catch_up(log, read_model, NOTES)
    request = PageRequest({"shelf": "a"}, "written_at", 10)
    assert {each.key for each in await read_model.page("notes", request)} == {"b", "c"}
