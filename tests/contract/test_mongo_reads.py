"""Reads of MongoDB that are many, slow or abandoned do not hold up others."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from app.adapters.mongo import MongoReadModel, read_model
from app.adapters.mongo.client import Client
from app.adapters.mongo.read_model import PAGE_SECONDS
from app.adapters.mongo.serving import Serving
from app.framework.projections import (
    DocumentParked,
    Index,
    PageRequest,
    Parked,
    Projection,
    by_aggregate,
)
from app.framework.storage import StorageTimeout
from tests.following import prepare, save, take
from tests.notes import NOTES, note, notes, status

SOON = 5.0
SLOW = "slow"
EVERYTHING = PageRequest(equals={}, sort="written_at", limit=10)
NOTES_OF_A_SHELF = PageRequest(equals={"shelf": "a"}, sort="written_at", limit=10)
WAITS = {"$function": {"body": "function() { sleep(100); return true }", "args": [], "lang": "js"}}


@pytest.fixture(params=["motor", "pymongo"])
async def model(request, mongodb_url, mongodb_database) -> AsyncIterator[MongoReadModel]:
    """A read model of notes, and beside them a view of which each page takes 20 s."""
    with MongoClient[Any](mongodb_url) as client:
        database = client[mongodb_database]
        database["many"].insert_many(
            [{"shelf": "a", "written_at": each, "_position": 1} for each in range(200)]
        )
        # To those who read it, it is a collection like any other.
        slowly = [{"$match": {"$expr": WAITS}}]
        database.create_collection(f"{SLOW}_v1", viewOn="many", pipeline=slowly)
        database["projections"].insert_one({"_id": SLOW, "serves": 1})
    model = MongoReadModel(mongodb_url, mongodb_database, request.param)
    await prepare(model, NOTES)
    await model.write(NOTES.id, {"n": note("x", 1)})
    yield model
    await model.close()


@pytest.fixture
async def observer(mongodb_url, mongodb_database) -> AsyncIterator["Observer"]:
    """Sees what MongoDB works on."""
    async with AsyncMongoClient[Any](mongodb_url) as client:
        yield Observer(client, mongodb_database)


class Observer:
    """Sees what MongoDB works on for one database."""

    def __init__(self, client: AsyncMongoClient[Any], database: str) -> None:
        self._client = client
        # A read of a view is shown as one of the collection behind it.
        self._namespaces = {"$in": [f"{database}.{SLOW}_v1", f"{database}.many"]}

    async def operations(self) -> int:
        """How many reads of the slow view there are."""
        operations: list[dict[str, Any]] = await (
            await self._client.admin.aggregate(
                [{"$currentOp": {}}, {"$match": {"ns": self._namespaces, "active": True}}]
            )
        ).to_list()
        return len(operations)

    async def until(self, condition) -> None:
        """Return once `condition` holds for the number of reads."""
        async with asyncio.timeout(SOON):
            while not condition(await self.operations()):  # noqa: ASYNC110 - of a server
                await asyncio.sleep(0.02)


async def leave(callers: list[asyncio.Task[Any]]) -> None:
    """Have callers give up."""
    for each in callers:
        each.cancel()
    await asyncio.wait(callers)


def slow_pages(model: MongoReadModel, number: int) -> list[asyncio.Task[Any]]:
    """As many callers, each for a page of its own."""
    requests = [PageRequest({}, "written_at", limit) for limit in range(1, number + 1)]
    return [asyncio.create_task(model.page(SLOW, each)) for each in requests]


async def test_a_read_ends_in_mongodb_when_its_caller_has_left(model, observer, monkeypatch):
    """Long before its time is over."""
    monkeypatch.setattr(read_model, "PAGE_SECONDS", 4 * SOON)
    callers = slow_pages(model, 3)
    await observer.until(lambda number: number == 3)
    await leave(callers)
    await observer.until(lambda number: number == 0)


async def test_hundreds_of_abandoned_reads_hold_up_nobody(model, observer):
    """Neither in the queue nor in MongoDB: the next caller has all to itself."""
    callers = slow_pages(model, 300)
    await observer.until(lambda number: number > 0)
    await leave(callers)
    await observer.until(lambda number: number == 0)
    began = time.monotonic()
    with pytest.raises(StorageTimeout):
        await model.page(SLOW, EVERYTHING)
    assert time.monotonic() - began < 2 * PAGE_SECONDS


async def test_a_read_ends_in_mongodb_when_its_time_is_over(model, observer):
    """Its caller hears that it took too long, and those behind it are read."""
    callers = slow_pages(model, 8)
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert {type(each) for each in outcomes} == {StorageTimeout}
    assert await observer.operations() == 0


async def test_a_view_that_is_slow_holds_up_no_other(model, observer):
    """Nor do pages of one kind hold up pages of another kind, or reads with a token plain ones."""
    callers = slow_pages(model, 50)
    await observer.until(lambda number: number > 0)
    await save(model, NOTES, status(NOTES, 1))
    async with asyncio.timeout(SOON):  # those before them take longer
        assert len(await model.page("notes", EVERYTHING)) == 1
        assert len(await model.page("notes", EVERYTHING, at_least=1)) == 1
        assert await model.get("notes", "n") is not None
    await leave(callers)


SHELVES = Projection(
    name=SLOW,
    version=1,
    key=by_aggregate,
    handlers={},
    indexes=(Index(("shelf", "written_at")),),
)


async def test_pages_of_one_kind_hold_up_no_other_kind(model, observer):
    """A kind is what is filtered and sorted by: searches do not hold up plain lists."""
    callers = slow_pages(model, 50)
    await observer.until(lambda number: number >= 6)
    waiting = asyncio.create_task(model.page(SLOW, NOTES_OF_A_SHELF))
    await observer.until(lambda number: number >= 7)
    await leave([*callers, waiting])


async def test_counting_ends_in_mongodb_when_it_is_given_up(model, observer):
    """As it may take an hour."""
    counting = asyncio.create_task(model.count(SHELVES.id, up_to=1))
    await observer.until(lambda number: number == 1)
    await leave([counting])
    await observer.until(lambda number: number == 0)


async def test_a_replay_that_ends_amid_a_read_makes_no_answer_old(model, monkeypatch):
    """Which documents are parked belongs to the position, not to what is found after it."""
    parked = [Parked("n", 2, "cannot apply it", datetime.now(UTC))]
    _, lease = await take(model, NOTES)
    await model.save(lease, status(NOTES, 2), parked=parked)
    find = read_model._find_keys

    async def find_and_replay(collection, keys):
        found = await find(collection, keys)
        await model.write(NOTES.id, {"n": note("replayed", 2)})
        await model.save(lease, status(NOTES, 2), parked=[])
        await model.positions()
        return found

    monkeypatch.setattr(read_model, "_find_keys", find_and_replay)
    with pytest.raises(DocumentParked):
        await model.get("notes", "n", at_least=2)
    assert (await model.get("notes", "n", at_least=2)).document["texts"] == ["replayed"]


async def test_a_look_up_of_positions_reads_no_dropped_build(model, mongodb_url, mongodb_database):
    """They would be more with each rebuild, and it is made every few milliseconds."""
    build, lease = await take(model, NOTES)
    second, lease_of_second = await take(model, notes(version=2))
    await model.save(lease, status(NOTES, 2))
    await model.save(lease_of_second, status(notes(version=2), 3))
    assert await model.retire("notes", second.id)
    for dropped, position in ((False, 3), (True, 0)):
        if dropped:
            await model.drop("notes", second.id)
        client = Client(mongodb_url, mongodb_database, "pymongo")
        serving = Serving(client)
        assert await serving.position(build.id, at_least=1) == 2
        assert await serving.position(second.id, at_least=1) == position
        await serving.close()
        await client.close()
