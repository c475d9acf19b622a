"""Real servers for the tests that need them: started once, a database of its own for each test.

TEST_DATABASE_URL and TEST_MONGODB_URL name servers to use instead of embedded ones.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
import structlog
from pymongo import MongoClient

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import Urls, embedded_servers
from app.framework.observability import access_log, audit, outages
from app.framework.observability.episodes import Episode
from app.host.settings import Settings

SERVERS_ROOM = 8 * 2**30
"""Free bytes that servers may have their data in memory for; a suite fills a fifth of them."""

# What an example may take is no property of the code on a machine that does other work as well.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def _unmeasured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep coverage out of tests marked `unmeasured`; no_cover does not in workers."""
    measuring = sys.gettrace()
    if request.node.get_closest_marker("unmeasured"):
        sys.settrace(None)
    yield
    sys.settrace(measuring)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """No test sees the settings of whoever runs it, in the environment or in `.env`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
            patch.delenv(name, raising=False)
        patch.setitem(Settings.model_config, "env_file", None)
        yield


@pytest.fixture(autouse=True)
def _no_episode_outlives_its_test(monkeypatch) -> Iterator[None]:
    """What a test had logged once is not counted in the log of a later one."""
    count, counted = Episode.count, []

    def noted_count(episode: Episode, what: object = "") -> None:
        counted.append(episode)
        count(episode, what)

    monkeypatch.setattr(Episode, "count", noted_count)
    yield
    outages._by_loop.clear()
    for each in counted:
        each._count = 0


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Take back what a test, a command for one, has configured: its output is closed by now."""
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    for name in (audit.LOGGER, access_log.LOGGER):
        log = logging.getLogger(name)
        for each in log.handlers:
            each.close()
        log.handlers, log.propagate = [], True
        log.setLevel(logging.NOTSET)
    if root.handlers is not before[0]:
        structlog.reset_defaults()
        root.handlers, root.level = before


@pytest.fixture(scope="session")
def servers() -> Iterator[Urls]:
    """A PostgreSQL and a mongod; their URLs."""
    given = Urls(os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_MONGODB_URL"))
    home = Path(tempfile.mkdtemp(prefix="diptych-test-", dir=_memory_with_room()))
    try:
        with embedded_servers(
            home, initiate, postgres=not given.postgres, mongodb=not given.mongodb
        ) as started:
            yield Urls(given.postgres or started.postgres, given.mongodb or started.mongodb)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(servers: Urls) -> Iterator[str]:
    """The name of a database that is migrated, for others to be copied from."""
    from app.adapters.postgres import migrate  # noqa: PLC0415 - for tests that ask for it only

    name = _fresh_name()

    async def create() -> None:
        await _administer(servers, f'CREATE DATABASE "{name}"')

    async def drop() -> None:
        await _administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')

    _outside_the_loop(lambda: asyncio.run(create()))
    _outside_the_loop(lambda: migrate(_database_url(servers, name)))
    yield name
    _outside_the_loop(lambda: asyncio.run(drop()))


@pytest.fixture
async def postgres_url(servers: Urls, migrated_template: str) -> AsyncIterator[str]:
    """A migrated, empty database of the test's own."""
    name = _fresh_name()
    await _administer(servers, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
    yield _database_url(servers, name)
    await _administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def unmigrated_postgres_url(servers: Urls) -> AsyncIterator[str]:
    """A database of the test's own with nothing in it."""
    name = _fresh_name()
    await _administer(servers, f'CREATE DATABASE "{name}"')
    yield _database_url(servers, name)
    await _administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mongodb_url(servers: Urls) -> str:
    """The mongod; use a database named by `mongodb_database`."""
    assert servers.mongodb
    return servers.mongodb


@pytest.fixture
def mongodb_database(mongodb_url: str) -> Iterator[str]:
    """The name of a database of the test's own, dropped after it."""
    name = _fresh_name()
    yield name
    with MongoClient[Any](mongodb_url) as client:
        client.drop_database(name)


def _memory_with_room() -> str | None:
    """A folder in memory: a database is made and dropped there in a quarter of the time."""
    folder = "/dev/shm"
    try:
        return folder if shutil.disk_usage(folder).free >= SERVERS_ROOM else None
    except OSError:
        return None


def _fresh_name() -> str:
    return f"test_{uuid4().hex}"


def _database_url(servers: Urls, name: str) -> str:
    assert servers.postgres
    return urlunsplit(urlsplit(servers.postgres)._replace(path=f"/{name}"))


async def _administer(servers: Urls, statement: str) -> None:
    connection = await asyncpg.connect(servers.postgres)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _outside_the_loop(work) -> None:
    """Run what brings a loop of its own in a thread, where pytest's is not in its way."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
