"""Options in the URL that suit queries leave the projector's reads and writes as they must be."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from pymongo import monitoring

from app.adapters.mongo import MongoReadModel
from app.framework.projections import PageRequest, Versioned
from app.framework.storage import StorageUnavailable
from tests.following import prepare, save, take, until
from tests.notes import NOTES, note, notes, status

# The embedded replica set has no secondary, nor seven members that could acknowledge.
OPTIONS = "readPreference=secondary&w=7&readConcernLevel=available&timeoutMS=1000"
PAGE = PageRequest({}, "written_at", 10)


class Commands(monitoring.CommandListener):
    """Every command that was sent to a server."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """A command is about to be sent."""
        self.sent.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not of interest."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not of interest."""

    def of(self, *names: str) -> list[dict[str, Any]]:
        """Those of these names."""
        return [each for each in self.sent if next(iter(each)) in names]


@pytest.fixture
def commands() -> Iterator[Commands]:
    """What clients that are made from now on send, until the end of the test."""
    listener = Commands()
    listeners = monitoring._LISTENERS
    before = listeners.command_listeners[:]
    monitoring.register(listener)
    yield listener
    listeners.command_listeners[:] = before


@pytest.fixture(params=["motor", "pymongo"])
async def read_model(
    request, commands, mongodb_url, mongodb_database
) -> AsyncIterator[MongoReadModel]:
    """A read model that is told to read from secondaries and to write to seven."""
    assert commands
    url = f"{mongodb_url.partition('?')[0]}?{OPTIONS}"
    read_model = MongoReadModel(url, mongodb_database, request.param)
    yield read_model
    await read_model.close()


async def project(read_model: MongoReadModel) -> None:
    """All that a projector does."""
    assert await prepare(read_model, NOTES) == 0
    await read_model.write(NOTES.id, {"a": note("x", 1), "b": note("y", 2)}, created=["a"])
    assert (await read_model.load(NOTES.id, ["a", "b"])).keys() == {"a", "b"}
    assert await read_model.count(NOTES.id, up_to=2) == 2
    await save(read_model, NOTES, status(NOTES, 2))
    second = notes(version=2)
    build, lease = await take(read_model, second)
    await read_model.note(lease, has_caught_up=True)
    assert await read_model.renew([lease]) == []
    assert await read_model.switch("notes", serving=NOTES.id, to=build.id)
    assert await read_model.switch("notes", serving=build.id, to=NOTES.id)
    await read_model.release(lease)
    assert await read_model.retire("notes", build.id)
    await read_model.drop("notes", build.id)
    await read_model.pause("notes", paused=False)
    assert await prepare(read_model, NOTES) == 2


async def test_the_projector_reads_from_the_primary(read_model):
    """Which is there; a lagging secondary would give it documents that lack events."""
    await project(read_model)


async def test_the_projector_s_writes_are_acknowledged_by_a_majority(read_model, commands):
    """Every one of them, and what it reads is never what a shard may have lost."""
    await project(read_model)
    writes = commands.of("insert", "update", "delete", "findAndModify", "createIndexes")
    assert len(writes) >= 7
    assert [each.get("writeConcern") for each in writes] == [{"w": "majority"}] * len(writes)
    reads = commands.of("find", "aggregate")
    assert len(reads) >= 4
    assert [each.get("readConcern") for each in reads] == [{"level": "local"}] * len(reads)


async def test_queries_read_from_where_the_url_says(read_model):
    """Also which version serves, and how far the projections are."""
    await project(read_model)
    for call in (
        read_model.get("notes", "a"),
        read_model.page("notes", PAGE),
    ):
        with pytest.raises(StorageUnavailable, match="Secondary"):
            await call


async def test_checkpoints_that_are_saved_at_once_go_out_together(read_model, commands):
    """One command saves those of all projections."""
    several = [notes(name=name) for name in "abc"]
    leases = [(await take(read_model, each))[1] for each in several]
    commands.sent.clear()
    await asyncio.gather(
        *(
            read_model.save(lease, status(each, 7))
            for lease, each in zip(leases, several, strict=True)
        )
    )
    (update,) = commands.of("update")
    assert [each["q"]["_id"] for each in update["updates"]] == [each.id for each in several]
    assert [await prepare(read_model, each) for each in several] == [7, 7, 7]


async def test_a_page_that_several_wait_for_is_read_once(commands, mongodb_url, mongodb_database):
    """Not so for one who asks when it is being read: there may be more to see by then."""
    read_model = MongoReadModel(mongodb_url, mongodb_database, "motor")
    await project(read_model)
    commands.sent.clear()
    several = [asyncio.ensure_future(read_model.page("notes", PAGE)) for _ in range(20)]
    await until(lambda: commands.of("find"))
    late = await read_model.page("notes", PAGE)
    pages = await asyncio.gather(*several)
    assert [[each.key for each in page] for page in [*pages, late]] == [["a", "b"]] * 21
    assert len([each for each in commands.of("find") if each["find"] == NOTES.id]) == 2
    await read_model.close()


async def test_tombstones_carry_the_time_of_mongodb(read_model, monkeypatch):
    """Which drops them by its own clock a week later; the process's may be off by as much."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz=None) -> Self:
            return super().now(tz) - timedelta(days=8)

    monkeypatch.setattr("app.adapters.mongo.documents.datetime", Behind, raising=False)
    gone = Versioned(None, 1)
    await read_model.write(NOTES.id, {"a": gone, "b": gone}, created={"a"})
    stored = await read_model._client.primary(NOTES.id).find().to_list(None)
    for each in stored:
        assert abs(datetime.now(UTC) - each["_deleted"]) < timedelta(minutes=1)
    assert await read_model.load(NOTES.id, ["a", "b"]) == {"a": gone, "b": gone}
