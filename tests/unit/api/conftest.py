"""A client of the API on a service in memory."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.contexts.identity import ACCESS
from tests.unit.api.service import Lent, MemoryService, application

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}


@pytest.fixture
def service() -> MemoryService:
    """A service with nobody registered."""
    return MemoryService()


@pytest.fixture(scope="session")
def lent() -> Lent:
    """What stands for the service in the application that tests share."""
    return Lent(MemoryService())


@pytest.fixture(scope="session")
def shared(lent: Lent) -> FastAPI:
    """An application for all tests that let it be: it takes long to make."""
    return application(lent, administered=True)


@pytest.fixture
def api(shared: FastAPI, lent: Lent, service: MemoryService) -> FastAPI:
    """The application on `service`; events that it streams are cached, also over tests."""
    lent.service = service
    return shared


@pytest.fixture
async def client(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API on `service`."""
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


@pytest.fixture
async def alice(client: httpx.AsyncClient, service: MemoryService) -> str:
    """The id of a user who is registered and in the views."""
    registered = await client.post("/users", json=ALICE)
    assert registered.status_code == 201
    await service.project()
    return ALICE["id"]


@pytest.fixture(scope="session")
def shared_guarded(lent: Lent) -> FastAPI:
    """As `shared`, but it takes tokens."""
    return application(lent, access=ACCESS, administered=True)


@pytest.fixture
async def guarded(
    shared_guarded: FastAPI, lent: Lent, service: MemoryService
) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token of an API on `service` that takes one; its streams end at once."""
    service.stopping.set()
    lent.service = service
    transport = httpx.ASGITransport(shared_guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


@pytest.fixture(scope="session")
def document(shared: FastAPI):
    """The document as it is served."""
    return shared.openapi()


@pytest.fixture(scope="session")
def operations(document):
    """Every operation by its id, with its method and path."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
