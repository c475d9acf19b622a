"""Snapshots that are kept with the events, in every event store."""

import asyncio

import pytest

from app.framework.eventsourcing import DuplicateCommand, Snapshot, VersionConflict
from app.framework.request import IdempotencyKey
from tests.contract.noted import note

SNAPSHOT = Snapshot(1, {"state": {"texts": ["a", "\u00e9", None]}, "created_at": "2026"})


@pytest.fixture
async def snapshot_at_2(store):
    """A stream of three events with a snapshot as of the second; when that was appended."""
    await store.append(note("note-0", 0, "other"))
    await store.append(note("note-1", 0, "a"))
    appended = await store.append(note("note-1", 1, "b", snapshot=SNAPSHOT))
    await store.append(note("note-1", 2, "c"))
    return appended


async def versions(store, after_version=0, snapshot_version=1, **bound):
    """The versions of the snapshot and of the events that are loaded."""
    kept, events = await store.load_from_snapshot(
        "note-1", snapshot_version=snapshot_version, after_version=after_version, **bound
    )
    return kept and kept.version, [each.version for each in events]


async def test_a_load_goes_on_from_the_snapshot(store, snapshot_at_2):
    """With what stands where in the log, and the events after it only."""
    kept, events = await store.load_from_snapshot("note-1", snapshot_version=1)
    assert kept.snapshot == SNAPSHOT
    assert (kept.version, kept.position, kept.recorded_at) == (
        2,
        snapshot_at_2.position,
        snapshot_at_2.recorded_at,
    )
    assert [(each.version, each.event.text) for each in events] == [(3, "c")]


@pytest.mark.usefixtures("snapshot_at_2")
async def test_only_a_snapshot_that_is_of_use_is_loaded(store):
    """One that is past the known version, and has the wanted snapshot version."""
    assert await versions(store, after_version=1) == (2, [3])
    assert await versions(store, after_version=2) == (None, [3])
    assert await versions(store, after_version=3) == (None, [])
    assert await versions(store, snapshot_version=2) == (None, [1, 2, 3])
    assert await versions(store, up_to_version=1) == (None, [1])
    assert await versions(store, up_to_version=2) == (2, [])


@pytest.mark.usefixtures("snapshot_at_2")
async def test_a_plain_load_knows_no_snapshots(store):
    """All events are there, as ever."""
    assert [each.version for each in await store.load("note-1")] == [1, 2, 3]
    assert await store.load_from_snapshot("note-9", snapshot_version=1) == (None, [])


@pytest.mark.usefixtures("snapshot_at_2")
async def test_a_later_snapshot_takes_the_place_of_an_earlier_one(store):
    """Of any snapshot version; and other streams keep theirs."""
    later = Snapshot(2, {"state": 2})
    await store.append(note("note-0", 1, "x", snapshot=SNAPSHOT))
    await store.append(note("note-1", 3, "d", "e", snapshot=later))
    assert await versions(store) == (None, [1, 2, 3, 4, 5])
    assert await versions(store, snapshot_version=2) == (5, [])
    kept, _ = await store.load_from_snapshot("note-0", snapshot_version=1)
    assert (kept.version, kept.snapshot) == (2, SNAPSHOT)


@pytest.mark.usefixtures("snapshot_at_2")
async def test_an_append_that_is_refused_leaves_no_snapshot(store):
    """It is of a state that never was."""
    false = Snapshot(1, {"state": "never"})
    with pytest.raises(VersionConflict):
        await store.append(note("note-1", 2, "x", snapshot=false))
    key = IdempotencyKey("key", "fingerprint")
    await store.append(note("note-1", 3, "d", idempotency_key=key))
    with pytest.raises(DuplicateCommand):
        await store.append(note("note-1", 4, "x", idempotency_key=key, snapshot=false))
    kept, _ = await store.load_from_snapshot("note-1", snapshot_version=1)
    assert kept.snapshot == SNAPSHOT


async def test_loads_that_go_out_together_are_kept_apart(store, snapshot_at_2):
    """Each gets its own snapshot and events."""
    assert snapshot_at_2
    found = await asyncio.gather(
        versions(store), versions(store, after_version=2), versions(store, snapshot_version=3)
    )
    assert [*found] == [(2, [3]), (None, [3]), (None, [1, 2, 3])]
