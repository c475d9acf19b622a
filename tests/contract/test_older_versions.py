"""Builds in MongoDB, where an older version of the service was before, or a newer is beside."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from app.adapters.mongo import MongoReadModel
from app.framework.projections import (
    LEASE_SECONDS,
    Build,
    BuildState,
    Comparison,
    Parked,
    ProjectionRecord,
    ProjectionState,
    TakeOver,
)
from app.framework.projections.readiness import trouble
from app.framework.projections.takeover import is_abandoned
from tests.notes import NOTES, note, notes, status

SECOND, THIRD = notes(version=2), notes(version=3)

Collection = Any


@pytest.fixture(params=["motor", "pymongo"])
async def store(request, mongodb_url, mongodb_database) -> AsyncIterator[MongoReadModel]:
    """A read model as a process of this version opens it."""
    read_model = MongoReadModel(mongodb_url, mongodb_database, request.param)
    yield read_model
    await read_model.close()


@pytest.fixture
async def older(mongodb_url, mongodb_database) -> AsyncIterator[Collection]:
    """The collection of checkpoints as a process of the version before opens it."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[mongodb_database]["projections"]


async def prepared(older: Collection, version: int, *, seconds_ago: float = 60) -> None:
    """What a projector of before writes first: its checkpoint, and which version serves."""
    checkpoint = {
        "name": "notes",
        "version": version,
        "position": 5,
        "head": 9,
        "state": "running",
        "error": None,
        "seen_at": datetime.now(UTC) - timedelta(seconds=seconds_ago),
    }
    await older.insert_one({"_id": f"notes_v{version}", **checkpoint})
    await older.update_one({"_id": "notes"}, {"$setOnInsert": {"serves": version}}, upsert=True)


async def served(older: Collection, version: int) -> None:
    """What a projector of before writes when it has caught up."""
    await older.update_one({"_id": "notes"}, {"$max": {"serves": version}}, upsert=True)


async def record(store: MongoReadModel) -> ProjectionRecord:
    """What this version sees of the notes."""
    (found,) = await store.projections()
    return found


async def test_checkpoints_of_before_are_builds(store, older):
    """By version; what served before is kept, and what was being built goes on."""
    for version in (1, 2, 3):
        await prepared(older, version)
    await served(older, 2)
    found = await record(store)
    assert found.serving == "notes_v2"
    assert [(each.id, each.number, each.state, each.position) for each in found.builds] == [
        ("notes_v1", 1, BuildState.KEPT, 5),
        ("notes_v2", 2, BuildState.SERVING, 5),
        ("notes_v3", 3, BuildState.BUILDING, 5),
    ]
    assert all(each.is_free for each in found.builds)
    assert found.builds[1].activity(paused=False) is ProjectionState.ABSENT


async def test_a_build_on_which_an_older_process_works_is_not_free(store, older):
    """Until nothing was heard of it for as long as a lease lasts; then it goes on from there."""
    await prepared(older, 1, seconds_ago=LEASE_SECONDS - 2)
    (found,) = (await record(store)).builds
    assert (found.is_free, found.holder) == (False, None)
    assert found.activity(paused=False) is ProjectionState.RUNNING
    assert await store.acquire(Build(NOTES, "notes_v1"), "new") is None
    passed = {"$set": {"seen_at": datetime.now(UTC) - timedelta(seconds=LEASE_SECONDS + 1)}}
    await older.update_one({"_id": "notes_v1"}, passed)
    lease = await store.acquire(Build(NOTES, "notes_v1"), "new")
    assert lease is not None
    assert lease.position == 5


async def test_a_build_of_before_that_served_has_caught_up(store, older):
    """Also once it is acquired, before it is level: queries that are upgraded first stay ready."""
    for version in (1, 2, 3):
        await prepared(older, version)
    await served(older, 2)
    for version in (1, 2, 3):
        assert await store.acquire(Build(notes(version=version), f"notes_v{version}"), "new")
    caught_up = [each.has_caught_up for each in (await record(store)).builds]
    assert caught_up == [True, True, False]


async def test_fields_of_a_newer_version_are_ignored(store, older):
    """It may store more of a parked document, and of a comparison, than this version knows."""
    assert await store.begin(NOTES, take_over=TakeOver.WHEN_CAUGHT_UP, known=0) == "notes_v1"
    assert await store.acquire(Build(NOTES, "notes_v1"), "new")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    parked, comparison = Parked("n", 3, "it broke", since), Comparison(5, 1, ["n"])
    newer = {
        "parked": [{**asdict(parked), "tries": 7}],
        "comparison": {**asdict(comparison), "seconds": 2},
    }
    await older.update_one({"_id": "notes_v1"}, {"$set": newer})
    (found,) = (await record(store)).builds
    assert (found.parked, found.comparison) == ([parked], comparison)
    lease = await store.acquire(Build(NOTES, "notes_v1"), "new")
    assert lease is not None
    assert lease.parked == [parked]


async def test_builds_are_begun_and_switched_where_an_older_version_was(store, older):
    """And queries of an older process beside follow the switch, by the version."""
    await prepared(older, 1)
    second = await store.begin(SECOND, take_over=TakeOver.WHEN_CAUGHT_UP, known=1)
    assert second == "notes_v2"
    assert await store.switch("notes", serving="notes_v1", to=second)
    assert (await older.find_one({"_id": "notes"}))["serves"] == 2
    found = await record(store)
    assert [each.state for each in found.builds] == [BuildState.KEPT, BuildState.SERVING]
    assert await store.retire("notes", "notes_v1")


async def test_an_older_process_that_raises_the_version_is_followed(store, older):
    """Its build serves then, though no build was switched to; readers see it as well."""
    await prepared(older, 1)
    assert await store.begin(SECOND, take_over=TakeOver.ON_REQUEST, known=1) == "notes_v2"
    await prepared(older, 3)
    await store.write("notes_v3", {"n": note("three", 1)})
    await served(older, 3)
    found = await record(store)
    assert found.serving == "notes_v3"
    assert [each.version for each in found.builds] == [1, 2, 3]
    assert (await store.get("notes", "n")).document["texts"] == ["three"]
    assert not await store.switch("notes", serving="notes_v1", to="notes_v2")
    assert await store.switch("notes", serving="notes_v3", to="notes_v1")
    assert (await older.find_one({"_id": "notes"}))["serves"] == 1


async def test_an_older_process_saves_beside_a_lease(store, older):
    """Neither makes the other stop, and the checkpoint is the further one."""
    await prepared(older, 1)
    lease = await store.acquire(Build(NOTES, "notes_v1"), "new")
    assert lease is not None
    growing = {"$max": {"position": 8}, "$currentDate": {"seen_at": True}}
    await older.update_one({"_id": "notes_v1"}, growing, upsert=True)
    await store.save(lease, status(NOTES, 7), after=5)
    (found,) = (await record(store)).builds
    assert (found.position, found.holder) == (8, "new")


async def test_a_serving_version_without_a_checkpoint_is_built_anew(store, older):
    """Its checkpoint was lost, or never came: it is at the beginning."""
    await served(older, 2)
    found = await record(store)
    assert [(each.id, each.state, each.position) for each in found.builds] == [
        ("notes_v2", BuildState.SERVING, 0)
    ]
    words = trouble(found, held=(), versions=())
    assert words is not None
    assert words.startswith("notes: no process has its fold and works on build 1 (version 2)")
    assert is_abandoned(found.builds[0], versions=())
    lease = await store.acquire(Build(SECOND, "notes_v2"), "new")
    assert lease is not None
    assert lease.position == 0
    assert await store.begin(THIRD, take_over=TakeOver.WHEN_CAUGHT_UP, known=1) == "notes_v3"
