"""For the tests of contexts: everything in memory, and processes on real servers."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.host.settings import Settings
from tests.contexts.identity import ACCESS, AUTHORIZATION, DATA_DIR, USER_ID_CLAIM
from tests.integration.conftest import log, serving
from tests.unit.api.service import MemoryService, application
from tests.world import World

__all__ = ["log"]


@pytest.fixture
def world() -> World:
    """All contexts in memory, with nothing in them."""
    return World()


@pytest.fixture
def service(world: World) -> MemoryService:
    """The service around `world`; its views follow when `project` is called."""
    return MemoryService(world)


@pytest.fixture
async def client(service: MemoryService) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API of `service`."""
    async with client_of(service) as client:
        yield client


def client_of(service: MemoryService) -> httpx.AsyncClient:
    """A client of the API of a service in memory, to use in a `with` block."""
    transport = httpx.ASGITransport(application(service, access=ACCESS))
    return httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=AUTHORIZATION
    )


@pytest.fixture
async def served(
    postgres_url: str, mongodb_url: str, mongodb_database: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process with all roles, on real servers."""
    settings = Settings.load(
        database_url=postgres_url,
        mongodb_url=mongodb_url,
        mongodb_database=mongodb_database,
        data_dir=DATA_DIR,
        auth_user_id_claim=USER_ID_CLAIM,
    )
    async with serving(settings) as client:
        client.headers.update(AUTHORIZATION)
        yield client
