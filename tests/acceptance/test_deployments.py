"""A new version of a view is deployed beside the old one, and rolled back, under load."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.releases import release
from tests.acceptance.services import SECONDS, Service

SUMMARIES = "app/contexts/users/projections/user_summaries.py"
USERS = 40
WORKERS = 4


class Clients:
    """Clients who write, and read their writes back, through the process they are sent to."""

    def __init__(self, to: Service) -> None:
        self.to = to
        self.done = 0
        self.errors: list[str] = []
        self._stopping = False

    async def work(self, number: int) -> None:
        """One request after the other; what is not answered well is noted."""
        for each in itertools.count():
            if self._stopping:
                return
            async with client_of(self.to) as client:
                user, name = f"user{number}x{each % 10}", f"Name {number} {each}"
                written = await client.patch(f"/users/{user}", json={"name": name})
                token = {"Consistency-Token": written.headers.get("Consistency-Token", "")}
                found = await client.get(f"/users/{user}", headers=token)
                listed = await client.get("/users", params={"q": name}, headers=token)
                again = await client.get("/users", params={"limit": 5})
            for answer in (written, found, listed, again):
                if not answer.is_success:
                    self.errors.append(f"{answer.status_code} {answer.url} {answer.text}")
            if listed.is_success and user not in {it["id"] for it in listed.json()["items"]}:
                self.errors.append(f"{name} was written, and is not listed")
            self.done += 1

    async def all_done(self, times: int) -> None:
        """Return once so many more rounds are done."""
        due = self.done + times
        async with asyncio.timeout(SECONDS):
            while self.done < due:  # noqa: ASYNC110 - of code that sets no event
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        """Let each end after its round."""
        self._stopping = True


@asynccontextmanager
async def working(to: Service) -> AsyncIterator[Clients]:
    """Clients at work, until the block ends."""
    async with client_of(to) as client:
        for number, each in itertools.product(range(WORKERS), range(10)):
            user = f"user{number}x{each}"
            body = {"id": user, "name": "Ann", "email": f"{user}@example.com"}
            assert (await client.post("/users", json=body)).status_code == 201
    clients = Clients(to)
    async with asyncio.TaskGroup() as group:
        for number in range(WORKERS):
            group.create_task(clients.work(number))
        try:
            yield clients
        finally:
            clients.stop()


async def serving_version(service: Service) -> tuple[int, str | None]:
    """The version of `user_summaries` that serves, and the process that works on it."""
    async with client_of(service) as client:
        items = (await client.get("/projections")).json()["items"]
    (found,) = [each for each in items if each["name"] == "user_summaries" and each["serves"]]
    return found["version"], found["holder"]


async def until_serves(service: Service, version: int) -> None:
    """Return once this version serves, and a process works on it."""
    async with asyncio.timeout(SECONDS):
        while True:
            serves, holder = await serving_version(service)
            if serves == version and holder is not None:
                return
            await asyncio.sleep(0.05)


async def start(found: Cluster, settings: dict[str, str]) -> Service:
    """Start a process with all roles, of this or of another release, and await that it is ready."""
    service = await found.start("commands,queries,projector", **settings)
    async with client_of(service) as client, asyncio.timeout(SECONDS):
        while (await client.get("/health/ready")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return service


@pytest.mark.usefixtures("shared_servers")
async def test_a_version_is_deployed_and_rolled_back(tmp_path):
    """Clients see no error: what serves is followed all the time, by whichever process can."""
    newer = release(
        tmp_path / "newer",
        {
            SUMMARIES: {
                "    version=3,\n": "    version=4,\n",
                '"name": name,': '"name": name, "new": 1,',
            }
        },
    )
    async with cluster() as found:
        old = await start(found, {})
        async with working(old) as clients:
            await clients.all_done(20)
            assert (await serving_version(old))[0] == 3
            # Deployed: beside the old one, then alone.
            new = await start(found, newer)
            await until_serves(old, 4)
            await clients.all_done(20)
            clients.to = new
            await clients.all_done(WORKERS + 20)
            await asyncio.to_thread(old.stop)
            await clients.all_done(20)
            # Rolled back: the old release takes its own build back into service.
            old = await start(found, {})
            assert (await serving_version(old))[0] == 4
            clients.to = old
            await clients.all_done(WORKERS + 20)
            await asyncio.to_thread(new.stop)
            await until_serves(old, 3)
            await clients.all_done(20)
            # And deployed again: the new build takes over by itself.
            new = await start(found, newer)
            await until_serves(old, 4)
            await clients.all_done(20)
            errors = clients.errors
    assert errors == []
