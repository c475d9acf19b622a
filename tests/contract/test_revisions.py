"""Which revision the schema is at: ours, known or newer, or another application's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.adapters.postgres import ForeignSchema, PostgresEventStore, SchemaBehind, migrate
from app.adapters.postgres.revision import is_ours
from app.adapters.postgres.schema import REQUIRED_REVISION
from tests.contract.noted import REGISTRY, note

CARRIED_OVER = "0001"
ROOT = Path(__file__).parents[2]

AS_BEFORE = """
create table alembic_version as select version_num from diptych_revision;
drop table diptych_revision
"""
"""Puts the revision where the version before kept it."""


@pytest.fixture
async def store(unmigrated_postgres_url) -> AsyncIterator[PostgresEventStore]:
    """A store on a database that the test makes the schema of."""
    opened = PostgresEventStore(unmigrated_postgres_url, REGISTRY)
    yield opened
    await opened.close()


@pytest.fixture
async def administrator(unmigrated_postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """Another session in that database."""
    connection = await asyncpg.connect(unmigrated_postgres_url)
    yield connection
    await connection.close()


@pytest.fixture
async def migrate_it(unmigrated_postgres_url):
    """Migrates the database, to the newest revision or to another."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = unmigrated_postgres_url

    async def to(revision: str | None = None) -> None:
        if revision is None:
            await asyncio.to_thread(migrate, unmigrated_postgres_url)
        else:
            await asyncio.to_thread(command.upgrade, config, revision)

    return to


def test_revisions_are_numbered():
    """In four digits, one after the other: that is how those of a newer version are told."""
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    revisions = [each.revision for each in scripts.walk_revisions()]
    assert all(map(is_ours, revisions))
    assert revisions == sorted(revisions, reverse=True)


@pytest.mark.parametrize("theirs", ["4c7e9d1b6a0f", REQUIRED_REVISION, "9999"])
async def test_the_revision_of_another_application_is_not_taken_for_ours(
    store, administrator, migrate_it, theirs
):
    """Not even if it looks like ours; and the other application keeps it."""
    await administrator.execute("create table alembic_version (version_num varchar(32))")
    await administrator.execute("insert into alembic_version values ($1)", theirs)
    with pytest.raises(SchemaBehind, match="revision none") as caught:
        await store.check()
    assert len(str(caught.value).splitlines()) == 1

    await migrate_it()

    await store.check()
    assert (await store.append(note("note-1", 0, "a"))).position == 1
    assert await administrator.fetchval("select version_num from alembic_version") == theirs


async def test_a_database_of_the_version_before_is_carried_over(store, administrator, migrate_it):
    """With all there is; and processes of that version go on to find what they look for."""
    await migrate_it(CARRIED_OVER)
    await administrator.execute(AS_BEFORE)
    item = '{"stream_id": "note-1", "expected_version": 0, "metadata": {}, "events": [%s]}'
    event = '{"type": "Noted", "schema_version": 1, "data": {"text": "a", "count": 0}}'
    await administrator.execute("select append_events($1::jsonb)", f"[{item % event}]")

    for _ in range(2):
        await migrate_it()

    await store.check()
    assert (await store.append(note("note-1", 1, "b"))).position == 2
    assert await administrator.fetchval("select version_num from alembic_version") == CARRIED_OVER
    kept = await administrator.fetch("select version_num from diptych_revision")
    assert [row["version_num"] for row in kept] == [REQUIRED_REVISION]


async def test_a_database_of_the_version_before_is_known_before_it_is_migrated(
    store, administrator, migrate_it
):
    """Its revision is compared like any other."""
    await migrate_it(CARRIED_OVER)
    await administrator.execute(AS_BEFORE)
    with pytest.raises(SchemaBehind, match=f"revision {CARRIED_OVER},"):
        await store.check()


async def test_an_older_process_runs_beside_a_newer_schema_of_ours(
    store, administrator, migrate_it
):
    """It starts and writes, and finds nothing to migrate."""
    await migrate_it()
    await administrator.execute("update diptych_revision set version_num = '9999'")
    await migrate_it()
    await store.check()
    assert (await store.append(note("note-1", 0, "a"))).position == 1
    assert await administrator.fetchval("select version_num from diptych_revision") == "9999"


@pytest.mark.parametrize("table", ["diptych_revision", "alembic_version"])
async def test_an_unknown_revision_is_refused_in_one_line(store, administrator, migrate_it, table):
    """It names the table and what is in it, and nothing is written."""
    await migrate_it()
    await administrator.execute("update diptych_revision set version_num = '4c7e9d1b6a0f'")
    if table != "diptych_revision":
        await administrator.execute(AS_BEFORE)
    with pytest.raises(ForeignSchema) as caught:
        await store.check()
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"DATABASE_URL: the table {table} holds the revision '4c7e9d1b6a0f'")
