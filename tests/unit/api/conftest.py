"""A client of the API on a service in memory."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import application
from tests.unit.api.service import MemoryService

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}


@pytest.fixture
def service() -> MemoryService:
    """A service with nobody registered."""
    return MemoryService()


@pytest.fixture
async def client(service: MemoryService) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API on `service`."""
    transport = httpx.ASGITransport(application(service, administered=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


@pytest.fixture
async def alice(client: httpx.AsyncClient, service: MemoryService) -> str:
    """The id of a user who is registered and in the views."""
    registered = await client.post("/users", json=ALICE)
    assert registered.status_code == 201
    await service.project()
    return ALICE["id"]


@pytest.fixture(scope="module")
def document():
    """The document as it is served."""
    return application(MemoryService(), administered=True).openapi()


@pytest.fixture(scope="module")
def operations(document):
    """Every operation by its id, with its method and path."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
