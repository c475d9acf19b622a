"""The whole service in this process, on real servers, spoken to over HTTP; data directories."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from app.adapters.postgres import PostgresEventStore
from app.bootstrap import all_projections, event_registry
from app.host.settings import Settings
from app.main import create_app

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
BOB = {"id": "bob", "name": "Bob Jones", "email": "bob@example.com"}

PATIENCE = 10.0
"""Seconds that the views may take to follow; they take milliseconds unless something is broken."""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process with `settings`, which is stopped at the end."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as client,
    ):
        yield client


@pytest.fixture
def settings(postgres_url: str, mongodb_url: str, mongodb_database: str) -> Settings:
    """Settings for all roles, on databases of the test's own."""
    return Settings.load(
        database_url=postgres_url,
        mongodb_url=mongodb_url,
        mongodb_database=mongodb_database,
        auth="none",
        rate_limit=None,
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process with all roles."""
    async with serving(settings) as client:
        yield client


@pytest.fixture
async def log(postgres_url: str) -> AsyncIterator[PostgresEventStore]:
    """The log, read apart from the service."""
    store = PostgresEventStore(postgres_url, event_registry())
    yield store
    await store.close()


async def shown(
    client: httpx.AsyncClient, path: str, is_there: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """The answer to GET `path` as soon as it is as `is_there` wants it; the views follow writes."""

    async def poll() -> httpx.Response:
        while not is_there(answer := await client.get(path)):
            last.append(answer.text)
            await asyncio.sleep(0.01)
        return answer

    last: list[str] = [""]
    try:
        return await asyncio.wait_for(poll(), PATIENCE)
    except TimeoutError:
        pytest.fail(f"GET {path} did not come to show it in {PATIENCE} s; last: {last[-1]}")


async def caught_up(client: httpx.AsyncClient, head: int) -> None:
    """Return once every view holds the log up to `head`."""

    def up_to_head(answer: httpx.Response) -> bool:
        items = answer.json()["items"]
        # A projection whose first build has not begun yet is not listed.
        are_all = len(items) >= len(all_projections())
        return are_all and all((each["position"] or 0) >= head for each in items)

    await shown(client, "/projections", up_to_head)


@pytest.fixture
def environment(settings, monkeypatch) -> None:
    """The settings of the commands."""
    for name in ("database_url", "mongodb_url", "mongodb_database", "auth"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))


@pytest.fixture
async def users(settings, environment) -> None:  # noqa: ARG001 - for the commands that follow
    """Two users in the log and in every view; no process serves any more."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        await client.post("/users", json=BOB)
        await caught_up(client, 2)


@pytest.fixture
def views(settings) -> Iterator[Database[dict[str, Any]]]:
    """The collections of the read model, to change them by hand."""
    with MongoClient[dict[str, Any]](settings.mongodb_url) as client:
        yield client[settings.mongodb_database]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that does not exist yet, where every account can reach it."""
    folder = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    yield folder / "data"
    shutil.rmtree(folder)


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed."""
    return capsys.readouterr().out.splitlines()
