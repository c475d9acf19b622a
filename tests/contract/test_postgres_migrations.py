"""Migrations of PostgreSQL, and what stands in their way."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.adapters.postgres import CannotMigrate, PostgresEventStore, SchemaBehind, migrate
from app.adapters.postgres.schema import REQUIRED_REVISION
from app.framework.eventsourcing import EventRegistry
from app.framework.storage import StorageNotReady, StorageUnavailable

ROOT = Path(__file__).parents[2]
PROMISED_SECONDS = 5.0


async def test_every_revision_goes_up_down_and_up(unmigrated_postgres_url):
    """Each migration can be taken back, and applied once more."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = unmigrated_postgres_url
    revisions = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    for revision in reversed(revisions):
        await asyncio.to_thread(command.upgrade, config, revision)
        await asyncio.to_thread(command.downgrade, config, "-1")
        await asyncio.to_thread(command.upgrade, config, revision)
    await PostgresEventStore(unmigrated_postgres_url, EventRegistry([])).check()


def test_the_required_revision_is_the_newest():
    """The service asks for exactly what `alembic upgrade head` leads to."""
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    assert scripts.get_current_head() == REQUIRED_REVISION


async def test_a_schema_that_is_behind_is_said_to_be(unmigrated_postgres_url):
    """A database without the migrations is refused, with the command that mends it."""
    store = PostgresEventStore(unmigrated_postgres_url, EventRegistry([]))
    with pytest.raises(SchemaBehind, match="python -m app migrate"):
        await store.check()
    await store.close()


async def test_two_that_migrate_at_once_take_turns(unmigrated_postgres_url):
    """Processes that start together may all migrate."""
    work = f"from app.adapters.postgres import migrate; migrate({unmigrated_postgres_url!r})"
    migrating = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", work, cwd=ROOT) for _ in range(3)
    ]
    assert [await each.wait() for each in migrating] == [0, 0, 0]
    store = PostgresEventStore(unmigrated_postgres_url, EventRegistry([]))
    await store.check()
    await store.close()


@contextlib.asynccontextmanager
async def migrating_elsewhere(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else's session, that has begun to migrate and does not go on."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("select pg_advisory_lock(4746219033)")
        yield connection
    finally:
        await connection.close()


async def test_a_migration_that_goes_on_elsewhere_is_not_waited_for_without_end(
    unmigrated_postgres_url,
):
    """After a while this is one line, and nothing was done."""
    async with migrating_elsewhere(unmigrated_postgres_url):
        with pytest.raises(CannotMigrate) as caught:
            await asyncio.to_thread(migrate, unmigrated_postgres_url, lock_seconds=0.2)
    [line] = str(caught.value).splitlines()
    assert line.startswith("DATABASE_URL: the schema cannot be migrated: another session ")
    await asyncio.to_thread(migrate, unmigrated_postgres_url)


async def test_a_schema_that_is_up_to_date_is_not_migrated(postgres_url):
    """So nothing is waited for, not even a migration that goes on."""
    async with migrating_elsewhere(postgres_url):
        await asyncio.to_thread(migrate, postgres_url, lock_seconds=0.2)


async def test_a_server_that_does_not_answer_is_not_migrated():
    """It accepts connections and says nothing: this is said soon."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/diptych"
        started = time.monotonic()
        with pytest.raises(StorageUnavailable, match="no answer in time"):
            await asyncio.to_thread(migrate, url)
    assert time.monotonic() - started < PROMISED_SECONDS + 1


@pytest.fixture
async def strangers_url(postgres_url) -> AsyncIterator[str]:
    """The URL of a migrated database, for a user that may connect and nothing else."""
    name = f"stranger_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"create role {name} login")
    given = urlsplit(postgres_url)
    yield urlunsplit(given._replace(netloc=f"{name}@{given.netloc.rpartition('@')[2]}"))
    await connection.execute(f"drop role {name}")
    await connection.close()


async def test_a_user_without_rights_is_told_of(strangers_url):
    """In one line that names the variable, be it to serve or to migrate."""
    store = PostgresEventStore(strangers_url, EventRegistry([]))
    with pytest.raises(StorageNotReady) as refused:
        await store.check()
    await store.close()
    with pytest.raises(CannotMigrate) as not_migrated:
        await asyncio.to_thread(migrate, strangers_url)
    for caught in (refused, not_migrated):
        [line] = str(caught.value).splitlines()
        assert line.startswith("DATABASE_URL: ")
        assert "permission denied for table diptych_revision" in line
        assert "<class" not in line


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"netloc": "nobody_of_that_name@"}, 'role "nobody_of_that_name" does not exist'),
        ({"path": "/nowhere"}, 'database "nowhere" does not exist'),
    ],
)
async def test_who_is_not_let_in_is_told_of(postgres_url, wrong, words):
    """Credentials and names are for somebody to mend, so the variable is named."""
    url = urlunsplit(urlsplit(postgres_url)._replace(**wrong))
    store = PostgresEventStore(url, EventRegistry([]))
    with pytest.raises(StorageNotReady, match=f"^DATABASE_URL: .*{words}$"):
        await store.check()
    with pytest.raises(StorageUnavailable, match=words):
        await store.head()
    await store.close()
    with pytest.raises(CannotMigrate, match=f"^DATABASE_URL: .*{words}$"):
        await asyncio.to_thread(migrate, url)
