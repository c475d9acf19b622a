"""Building indexes takes as long as it takes; a MongoDB that is gone meanwhile is noticed soon."""

import asyncio
import gc
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from app.adapters.mongo import MongoReadModel
from app.adapters.mongo.client import ANSWER_SECONDS, LEAVE_SECONDS
from app.adapters.mongo.long_operations import WATCH_SECONDS
from app.adapters.mongo.replica_set import initiate
from app.devtools.servers.mongod import Mongod
from app.framework.storage import StorageUnavailable
from tests.notes import NOTES


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A mongod of these tests' own."""
    # Not in pytest's folder: another session of pytest would close that to mongod's account.
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    server = Mongod(home, initiate)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def mongod(url) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client that administers it."""
    with MongoClient[dict[str, Any]](url) as client:
        yield client


@pytest.fixture(params=["motor", "pymongo"])
async def read_model(request, url) -> AsyncIterator[MongoReadModel]:
    """A read model without any collection."""
    read_model = MongoReadModel(url, f"test_{uuid4().hex}", request.param)
    yield read_model
    await read_model.close()
    # PyMongo leaves it to the garbage collector to close the socket on which it was just
    # connecting to watch the server (PYTHON-5867 in its tracker).
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
def locked(mongod) -> Iterator[None]:
    """No index can be built, and whoever asks for one waits."""
    mongod.admin.command("fsync", lock=True)
    yield
    mongod.admin.command("fsyncUnlock")


async def building(mongod: MongoClient[dict[str, Any]], *, seconds: float) -> None:
    """Wait until an index has been in building for so long."""
    async with asyncio.timeout(10):
        while not _builds(mongod):  # noqa: ASYNC110 - what is awaited is in the server
            await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)


def _builds(mongod: MongoClient[dict[str, Any]]) -> list[Mapping[str, Any]]:
    stages: list[dict[str, Any]] = [
        {"$currentOp": {}},
        {"$match": {"command.createIndexes": {"$exists": True}}},
    ]
    return list(mongod.admin.aggregate(stages))


@pytest.mark.usefixtures("locked")
async def test_an_outage_amid_a_build_is_noticed_within_seconds(read_model, mongod):
    """Though the connection that waits for the indexes is not closed."""
    pid = mongod.admin.command("serverStatus")["pid"]
    preparing = asyncio.create_task(read_model.prepare(NOTES.id, NOTES.indexes))
    await building(mongod, seconds=0)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(WATCH_SECONDS + ANSWER_SECONDS + LEAVE_SECONDS + 1):
            with pytest.raises(StorageUnavailable):
                await preparing
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_build_may_take_longer_than_an_answer(read_model, mongod):
    """As long as MongoDB is there."""
    mongod.admin.command("fsync", lock=True)
    try:
        preparing = asyncio.create_task(read_model.prepare(NOTES.id, NOTES.indexes))
        await building(mongod, seconds=ANSWER_SECONDS + 0.5)
    finally:
        mongod.admin.command("fsyncUnlock")
    await preparing
