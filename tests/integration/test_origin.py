"""Databases that do not belong together: the read model names the log it was built from."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from pymongo import MongoClient

from app.framework.projections import OtherLog
from app.host.settings import Role
from tests.acceptance.services import run
from tests.integration.conftest import caught_up, serving

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}


async def become_another_log(postgres_url: str) -> tuple[str, str]:
    """Give the log a new identity; the one before, and the new one."""
    connection = await asyncpg.connect(postgres_url)
    before = await connection.fetchval("select identity::text from log_identity")
    await connection.execute("update log_identity set identity = $1", uuid4())
    after = await connection.fetchval("select identity::text from log_identity")
    await connection.close()
    return before, after


@pytest.fixture
async def identities(settings, postgres_url) -> tuple[str, str]:
    """That of the log a read model was built from, and that of the log there is now."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        await caught_up(client, 1)
    return await become_another_log(postgres_url)


@pytest.mark.parametrize(
    "roles",
    [{Role.COMMANDS, Role.QUERIES}, {Role.PROJECTOR}, set(Role)],
    ids=lambda roles: ",".join(sorted(roles)),
)
async def test_a_read_model_of_another_log_is_refused(settings, identities, roles):
    """Before anything is read or projected, by every process that knows both."""
    mixed = settings.model_copy(update={"roles": frozenset(roles)})
    with pytest.raises(OtherLog) as refused:
        async with serving(mixed):
            pytest.fail("it serves")
    assert all(each in str(refused.value) for each in identities)


@pytest.mark.parametrize("arguments", [["serve"], ["projections"], ["projections", "verify"]])
async def test_a_mix_of_databases_is_said_in_one_line_that_names_both(
    settings, identities, arguments, tmp_path: Path
):
    """With the settings to look at."""
    ended = await asyncio.to_thread(
        run,
        *arguments,
        cwd=tmp_path,
        DATABASE_URL=settings.database_url,
        MONGODB_URL=settings.mongodb_url,
        MONGODB_DATABASE=settings.mongodb_database,
    )
    [line] = ended.stderr.splitlines()
    assert ended.returncode == 1
    for each in (*identities, "MONGODB_URL", "DATABASE_URL"):
        assert each in line


@pytest.mark.parametrize("role", [Role.COMMANDS, Role.QUERIES])
@pytest.mark.usefixtures("identities")
async def test_a_process_that_knows_one_database_only_starts(settings, role):
    """It cannot compare them, and goes on as before."""
    async with serving(settings.model_copy(update={"roles": frozenset({role})})) as client:
        assert (await client.get("/health/ready")).status_code == 200


def forget_the_log(settings) -> None:
    """Have the read model be one of the code before."""
    with MongoClient[Any](settings.mongodb_url) as client:
        client[settings.mongodb_database].drop_collection("log")


async def test_a_read_model_of_the_code_before_adopts_its_log(settings, postgres_url):
    """With the first projector, and goes on from where it was."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        await caught_up(client, 1)
    forget_the_log(settings)
    without = settings.model_copy(update={"roles": frozenset({Role.COMMANDS, Role.QUERIES})})
    async with serving(without) as client:
        await client.post("/users", json={**ALICE, "id": "bob", "email": "bob@example.com"})
    async with serving(settings) as client:
        await caught_up(client, 2)
    await become_another_log(postgres_url)
    with pytest.raises(OtherLog):
        async with serving(settings):
            pytest.fail("it serves")


async def test_a_read_model_of_the_code_before_that_is_past_the_log_is_refused(
    settings, postgres_url
):
    """It is of another, and is not made to name this one."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        await caught_up(client, 1)
    forget_the_log(settings)
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("truncate events, streams, claims; update log_head set position = 0")
    await connection.close()
    for _ in range(2):
        with pytest.raises(OtherLog, match=r"is at position 1, .* which ends at 0"):
            async with serving(settings):
                pytest.fail("it serves")
