"""For the tests of contexts: everything in memory, and processes on real servers."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.conftest import log, settings
from tests.unit.api.service import MemoryService, application
from tests.world import World

__all__ = ["log", "settings"]


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
    transport = httpx.ASGITransport(application(service))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")
