"""Repositories that start from the last snapshot instead of the first event."""

from dataclasses import asdict
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.eventsourcing import Snapshots
from app.framework.request import IdempotencyKey, RequestContext
from tests.unit.eventsourcing.shelf import (
    Labelled,
    MeddledStore,
    Put,
    Shelf,
    events_of,
    folded,
    label,
    new_store,
    process,
    put,
)

EVERY = 4


def snapshots(version: int = 1) -> Snapshots[Shelf]:
    """Snapshots of shelves; tuples come back from JSON as lists."""
    return Snapshots(
        version,
        asdict,
        lambda data: Shelf(tuple(data["things"]), data["label"], data["events"]),
        every=EVERY,
    )


async def filled(store, things: int, version: int = 1) -> None:
    """Put so many things on a shelf, one by one, in one process."""
    here = process(store, snapshots=snapshots(version))
    for each in range(things):
        await here.transact("1", put(f"thing {each}"))


def snapshot_versions(store: MeddledStore) -> list[int]:
    """After which versions a snapshot was taken."""
    return [each.expected_version + len(each.events) for each in store.appends if each.snapshot]


async def test_a_snapshot_is_taken_every_so_many_events(store):
    """And comes with an append: it takes no call of its own."""
    await filled(store, 10)
    assert snapshot_versions(store) == [4, 8]
    assert len(store.appends) == 10


@pytest.mark.parametrize("events", [8, 10])
async def test_another_process_starts_from_the_snapshot(store, events):
    """It finds the same aggregate, down to when it came to be, be there events since or not."""
    await filled(store, events)
    full = await process(store).transact("1", put("thing 0"))
    part = await process(store, snapshots=snapshots()).transact("1", put("thing 0"))
    assert part.last_snapshot_at == 8
    assert (part.state, part.version, part.position) == (full.state, events, full.position)
    assert (part.created_at, part.updated_at) == (full.created_at, full.updated_at)


async def test_snapshots_go_on_where_the_process_before_left(store):
    """The next is due so many events after the last, whoever took that."""
    await filled(store, 10)
    there = process(store, snapshots=snapshots())
    for each in range(3):
        await there.transact("1", put(f"more {each}"))
    assert snapshot_versions(store) == [4, 8, 12]


async def test_a_snapshot_of_another_version_is_ignored_and_replaced(store):
    """It may have been folded by other rules."""
    await filled(store, 5)
    there = process(store, snapshots=snapshots(version=2))
    after = await there.transact("1", put("more"))
    assert after.state == folded(await events_of(store.store, "1"))
    assert snapshot_versions(store) == [4, 6]
    kept, _ = await store.load_from_snapshot("shelf-1", snapshot_version=2)
    assert kept.version == 6


async def test_what_changes_nothing_brings_no_snapshot(store):
    """Though one is due, and though the key is recorded: nothing happened then and there."""
    await filled(store, 5)
    there = process(store, snapshots=snapshots(version=2))
    context = RequestContext(idempotency_key=IdempotencyKey("k", "f"))
    after = await there.transact("1", put("thing 0"), context)
    assert store.appends[-1].idempotency_key
    assert snapshot_versions(store) == [4]
    assert after == await process(store).transact("1", put("thing 0"))


async def test_a_process_that_is_behind_may_jump_over_a_snapshot(store):
    """What it remembers gives way to the later state."""
    here = process(store, snapshots=snapshots())
    await here.transact("1", put("first"))
    there = process(store, snapshots=snapshots())
    for each in range(6):
        await there.transact("1", put(f"thing {each}"))
    store.loads.clear()
    caught_up = await here.transact("1", put("first"))
    assert (caught_up.version, caught_up.last_snapshot_at) == (7, 4)
    assert caught_up.state == folded(await events_of(store.store, "1"))


async def test_claims_are_known_from_a_snapshot(store):
    """What the aggregate holds is released when it changes, whatever was loaded."""
    here = process(store, snapshots=snapshots())
    for text in ("a", "b", "c", "d"):
        await here.transact("1", label(text))
    there = process(store, snapshots=snapshots())
    await there.transact("1", label("e"))
    await there.transact("2", label("d"))
    assert await events_of(store.store, "2") == [Labelled("d")]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
async def test_a_fold_from_a_snapshot_is_the_fold_of_all(sizes):
    """Whatever the appends were, and whichever process made them."""
    store = MeddledStore(new_store())
    for size in sizes:
        added = [Put(f"thing {each}") for each in range(size)]
        await process(store, snapshots=snapshots()).transact(
            "1", partial(lambda events, _: events, added)
        )
    found = await process(store, snapshots=snapshots()).transact("1", lambda _: [])
    assert found.state == folded(await events_of(store.store, "1"))
