"""What keeps one contract: read models in memory and in MongoDB by either driver, event stores,
copies of the list of API keys.
"""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

import pytest

from app.adapters.memory.api_keys import MemoryKeyCopy
from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.adapters.mongo import CachingReadModel, MongoKeys, MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.framework.projections import FollowedStore, Views
from app.framework.security.api_keys import KeyCopy
from tests.contract.noted import REGISTRY, Store
from tests.following import prepare
from tests.notes import NOTES

CACHE = 1024 * 1024


class ReadModel(FollowedStore, Views, Protocol):
    """Every port of the read side at once."""


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def open_read_model(request) -> AsyncIterator[Callable[[], ReadModel]]:
    """Opens the read model under test; each call is as another process would open it."""
    memory = MemoryReadModel()
    opened: list[MongoReadModel] = []

    def open_one() -> ReadModel:
        if request.param == "memory":
            return memory
        url = request.getfixturevalue("mongodb_url")
        database = request.getfixturevalue("mongodb_database")
        if request.param == "motor":
            opened.append(CachingReadModel(url, database, request.param, CACHE))
        else:
            opened.append(MongoReadModel(url, database, request.param))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
def read_model(open_read_model) -> ReadModel:
    """One read model."""
    return open_read_model()


@pytest.fixture
async def prepared(read_model):
    """A read model with room for notes."""
    await prepare(read_model, NOTES)
    return read_model


@pytest.fixture(params=["memory", "postgres"])
def url(request) -> str | None:
    """Where the store under test keeps its events; None for memory."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else None


@pytest.fixture
async def open_store(url) -> AsyncIterator[Callable[[], Store]]:
    """Opens the store under test; each call is as another process would open it."""
    memory = MemoryEventStore(REGISTRY)
    opened: list[PostgresEventStore] = []

    def open_one() -> Store:
        if url is None:
            return memory
        opened.append(PostgresEventStore(url, REGISTRY))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
def store(open_store) -> Store:
    """One store."""
    return open_store()


@pytest.fixture(params=["memory", "mongo"])
def key_copy_kind(request) -> str:
    """Where the copy of the list of API keys is."""
    return str(request.param)


@pytest.fixture
async def open_key_copy(key_copy_kind, request) -> AsyncIterator[Callable[[], KeyCopy]]:
    """Opens the copy under test; each call is as another process would open it."""
    memory = MemoryKeyCopy()
    opened: list[MongoKeys] = []

    def open_one() -> KeyCopy:
        if key_copy_kind == "memory":
            return memory
        url = request.getfixturevalue("mongodb_url")
        opened.append(MongoKeys(url, request.getfixturevalue("mongodb_database")))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()
