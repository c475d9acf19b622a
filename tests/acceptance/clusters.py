"""Processes of the service on servers of their own, for trials at any size."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import httpx

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import embedded_servers
from tests.acceptance.services import SERVE, UNMEASURED, Service

CONCURRENCY = 16

given: dict[str, str] = {}
"""The settings that name servers to use; where there are none, a cluster starts its own."""


class Cluster:
    """Processes of the roles that are asked for, on one PostgreSQL and one mongod."""

    def __init__(self, home: Path, urls: dict[str, str]) -> None:
        self.home = home
        self.urls = urls
        self.services: list[Service] = []

    async def start(self, roles: str, **settings: str) -> Service:
        """Start a process with these roles."""
        return await asyncio.to_thread(self.launch(roles, **settings).await_serving)

    def launch(self, roles: str, **settings: str) -> Service:
        """Like `start`, but it need not serve yet."""
        folder = self.home / f"process-{len(self.services)}"
        given = {"LOG_LEVEL": "error", "ROLES": roles, **self.urls, **UNMEASURED, **settings}
        self.services.append(Service(folder, SERVE, None, **given))
        return self.services[-1]


@contextlib.asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Processes that end with the block, and so do the servers that are started for them."""
    with (
        tempfile.TemporaryDirectory(prefix="diptych-promises-") as folder,
        contextlib.nullcontext(given) if given else _own_servers(Path(folder)) as urls,
    ):
        cluster = Cluster(Path(folder), urls)
        try:
            yield cluster
        finally:
            for each in cluster.services:
                each.clean_up()


@contextlib.contextmanager
def _own_servers(home: Path) -> Iterator[dict[str, str]]:
    with embedded_servers(home, initiate, postgres=True, mongodb=True) as urls:
        assert urls.postgres
        assert urls.mongodb
        yield {
            "DATABASE_URL": urls.postgres,
            "MONGODB_URL": urls.mongodb,
            "MONGODB_DATABASE": "diptych",
        }


def client_of(service: Service, connections: int = 3 * CONCURRENCY) -> httpx.AsyncClient:
    """A client for loads, to use in a `with` block."""
    limits = httpx.Limits(max_connections=connections)
    return httpx.AsyncClient(base_url=service.url, timeout=30, limits=limits, trust_env=False)


async def for_each(items: Iterable[int], work: Callable[[int], Awaitable[None]]) -> None:
    """Work through `items`, some at a time."""
    left = iter(items)

    async def take() -> None:
        for each in left:
            await work(each)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(take())
