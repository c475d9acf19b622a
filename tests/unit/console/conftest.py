"""A browser at the console of a service in memory."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.bootstrap import all_scopes, policies_of
from app.framework.http.application import Access
from app.framework.http.sessions import COOKIE
from app.framework.principal import Principal, PrincipalKind
from app.framework.projections import Parked, ProjectionState, ProjectionStatus
from tests.following import take
from tests.unit.api.access import Known
from tests.unit.api.service import Lent, MemoryService, application

ORIGIN = "http://127.0.0.1:8000"
KNOWN = Known()

ALL = all_scopes()


def token_of(*scopes: str, subject: str = "olga") -> str:
    """A token of an operator with these scopes."""
    who = Principal(kind=PrincipalKind.USER, subject=subject, scopes=frozenset(scopes))
    return KNOWN.token(who)


@pytest.fixture
def service() -> MemoryService:
    """A service with nothing in it."""
    return MemoryService()


@pytest.fixture(scope="session")
def lent() -> Lent:
    """What stands for the service in the application that tests share."""
    return Lent(MemoryService())


@pytest.fixture(scope="session")
def shared(lent: Lent) -> FastAPI:
    """An application that takes tokens."""
    access = Access(authenticator=KNOWN, policies=policies_of())
    return application(lent, access=access, administered=True)


@pytest.fixture
def api(shared: FastAPI, lent: Lent, service: MemoryService) -> FastAPI:
    """The application on `service`."""
    lent.service = service
    return shared


@pytest.fixture
async def browser(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in."""
    async with client_of(api) as client:
        yield client


@pytest.fixture
async def signed_in(api: FastAPI) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Makes browsers that are signed in with the scopes that are named, or with all."""
    made: list[httpx.AsyncClient] = []

    def sign_in(*scopes: str) -> httpx.AsyncClient:
        client = client_of(api)
        client.cookies.set(COOKIE, token_of(*(scopes or ALL)), domain="127.0.0.1", path="/console")
        made.append(client)
        return client

    yield sign_in
    for each in made:
        await each.aclose()


def client_of(api: FastAPI) -> httpx.AsyncClient:
    """A browser at `ORIGIN`."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=ORIGIN)


async def form_of(client: httpx.AsyncClient, page: str) -> dict[str, str]:
    """The token of the forms on a page, whose cookie the browser keeps."""
    text = (await client.get(page)).text
    return {"form_token": text.partition('name="form_token" value="')[2].partition('"')[0]}


async def submit(
    client: httpx.AsyncClient, page: str, action: str, **fields: str
) -> httpx.Response:
    """Send a form that stands on a page, as a browser does."""
    data = {**await form_of(client, page), **fields}
    return await client.post(action, data=data, headers={"Origin": ORIGIN})


async def park(
    service: MemoryService, name: str, *, key: str, error: str, position: int = 1
) -> None:
    """Park a document of a projection, as its projector does."""
    await service.project()
    build, lease = await take(service.views, service.projection(name))
    found = Parked(key, position, error, datetime.now(UTC))
    status = ProjectionStatus(name, build.version, position, position, ProjectionState.RUNNING)
    await service.views.save(lease, status, parked=[found])
