"""Commands that are sent again under their idempotency key."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from app.framework.eventsourcing import (
    IdempotencyKeyReused,
    Purged,
    Stored,
    VersionMismatch,
    keep_purging,
)
from app.framework.request import IdempotencyKey, RequestContext
from app.framework.storage import StorageUnavailable
from tests.following import until
from tests.unit.eventsourcing.shelf import (
    NotThere,
    Put,
    Shelf,
    Taken,
    events_of,
    nothing,
    process,
    put,
    take,
)


@pytest.fixture(params=["the same process", "another process"])
def here_and_there(request, store):
    """Where a command is sent first, and where again."""
    here = process(store)
    return here, (here if request.param == "the same process" else process(store.store))


async def send(repository, shelf: str, decide, key="k", fingerprint="f", **more):
    """The outcome of a command under a key, and whether it was replayed."""
    context = RequestContext(idempotency_key=IdempotencyKey(key, fingerprint))
    stored: Stored[Shelf] = await repository.transact(shelf, decide, context, **more)
    return replace(stored, replayed=False), stored.replayed


async def test_a_repeat_answers_what_the_first_did(here_and_there, store):
    """Version, position, state and times, whatever happened since; nothing is recorded."""
    here, there = here_and_there
    first, replayed = await send(here, "1", put("a"))
    assert not replayed
    assert await send(there, "1", put("a")) == (first, True)
    await here.transact("1", put("b"))
    await there.transact("1", take("a"))
    assert await send(there, "1", put("a")) == (first, True)
    assert await send(here, "1", put("a")) == (first, True)
    assert await events_of(store, "1") == [Put("a"), Put("b"), Taken("a")]


async def test_a_repeat_of_the_last_command_loads_only_what_is_new(store):
    """The process has the aggregate as that command left it."""
    here = process(store)
    await send(here, "1", put("a"))
    await send(here, "1", put("a"))
    assert store.loads == [("shelf-1", 1)]


async def test_a_repeat_of_what_changed_nothing_changes_nothing(here_and_there, store):
    """Even where it would by now."""
    here, there = here_and_there
    await here.transact("1", put("a"))
    first, replayed = await send(here, "1", put("a"))
    assert (first.version, replayed) == (1, False)
    await here.transact("1", take("a"))
    assert await send(there, "1", put("a")) == (first, True)
    assert await events_of(store, "1") == [Put("a"), Taken("a")]


async def test_a_repeat_of_what_would_be_refused_by_now_is_answered(here_and_there):
    """As it was the first time."""
    here, there = here_and_there
    await here.transact("1", put("a"))
    first = await send(here, "1", take("a"), expected_version=1)
    assert await send(there, "1", take("a"), expected_version=1) == (first[0], True)


async def test_a_repeat_may_be_for_another_aggregate(here_and_there, store):
    """As a command that makes up an id does: the answer is the one that was made first."""
    here, there = here_and_there
    first, _ = await send(here, "1", put("a"))
    assert await send(there, "2", put("a")) == (first, True)
    assert await events_of(store, "2") == []


async def test_a_refused_command_leaves_no_trace(here_and_there):
    """It is decided again, and may succeed."""
    here, there = here_and_there
    with pytest.raises(NotThere):
        await send(here, "1", take("a"))
    with pytest.raises(VersionMismatch):
        await send(here, "1", put("a"), expected_version=7)
    await here.transact("1", put("a"))
    stored, replayed = await send(there, "1", take("a"))
    assert (stored.version, replayed) == (2, False)


async def test_a_key_is_for_one_command(here_and_there, store):
    """Another command under it is refused, whatever it would have done."""
    here, there = here_and_there
    await send(here, "1", put("a"))
    for shelf, decide in (("1", put("a")), ("1", put("b")), ("2", put("a")), ("1", take("x"))):
        with pytest.raises(IdempotencyKeyReused, match="'k' was used for another"):
            await send(there, shelf, decide, fingerprint="other")
    assert await events_of(store, "1") == [Put("a")]


async def test_commands_without_a_key_are_not_held_to_one(here_and_there):
    """Nor are those after one with a key."""
    here, there = here_and_there
    await send(here, "1", put("a"))
    assert (await there.transact("1", put("b"))).version == 2


async def test_commands_sent_at_once_are_carried_out_once(store):
    """In whichever processes, on one aggregate or on as many as there are repeats."""
    for shelves in (["1"] * 12, [f"{each}" for each in range(2, 14)]):
        processes = [process(store.store) for _ in range(3)]
        results = await asyncio.gather(
            *(
                send(processes[each % 3], shelf, put("a"), key=shelves[0])
                for each, shelf in enumerate(shelves)
            )
        )
        assert sum(not replayed for _, replayed in results) == 1
        assert len({stored.position for stored, _ in results}) == 1
    assert await store.store.head() == 2


@pytest.mark.parametrize("expected_version", [None, 1])
async def test_a_repeat_that_is_overtaken_by_the_first_is_answered_as_it(store, expected_version):
    """It may not be refused for what the first, in another process, has just done."""
    here, there = process(store.store), process(store)
    await here.transact("1", put("a"))
    firsts = []

    async def overtake(_) -> None:
        store.before_load = nothing
        firsts.append(await send(here, "1", take("a"), expected_version=expected_version))

    store.before_load = overtake
    again = await send(there, "1", take("a"), expected_version=expected_version)
    assert firsts == [(again[0], False)]
    assert again[1]


@pytest.mark.parametrize("committed", [False, True])
async def test_a_command_without_an_answer_is_sent_again(store, committed):
    """Whether it had been recorded or not, it is carried out once."""

    async def fail(_) -> None:
        raise StorageUnavailable("Store", "gone")

    here = process(store)
    setattr(store, "after_append" if committed else "before_append", fail)
    with pytest.raises(StorageUnavailable):
        await send(here, "1", put("a"))
    store.before_append = store.after_append = nothing
    stored, replayed = await send(here, "1", put("a"))
    assert (stored.version, replayed) == (1, committed)
    assert await events_of(store, "1") == [Put("a")]


async def test_purging_goes_on_whatever_the_store_says(store, caplog):
    """A key is forgotten in the end, though an outage came first."""
    caplog.set_level(logging.WARNING)
    await send(process(store), "1", put("a"))
    purge, tries = store.store.purge_receipts, 0

    async def fail_at_first(**arguments) -> Purged:
        nonlocal tries
        tries += 1
        assert arguments == {"marks": 0, "interval": timedelta(0)}
        if tries == 1:
            raise StorageUnavailable("Store", "gone")
        return await purge(**arguments)

    store.store.purge_receipts = fail_at_first
    purging = asyncio.create_task(
        keep_purging(store, marks=0, interval=timedelta(0), every_seconds=0.001)
    )
    await until(lambda: tries > 2)
    purging.cancel()
    await asyncio.wait([purging])
    assert await store.receipt("k") is None
    assert "Cannot purge" in caplog.text
