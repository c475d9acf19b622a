"""Readiness of a process that takes commands is about whether writes succeed."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.adapters.postgres import append_health
from app.framework.observability.outages import end_outages
from app.host.settings import Role
from tests.integration.conftest import serving
from tests.locks import log_head_locked

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}

FULL_DISK = """
create function refuse() returns trigger language plpgsql as $$
begin raise exception 'no space left' using errcode = '53100'; end $$;
create trigger refuse before insert on events for each row execute function refuse();
"""


@pytest.fixture
async def administrator(settings) -> AsyncIterator[asyncpg.Connection]:
    """Another session in PostgreSQL."""
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def commands(settings):
    """A client of a process that takes commands and nothing else."""
    async with serving(settings.model_copy(update={"roles": frozenset({Role.COMMANDS})})) as client:
        yield client


async def readiness(client) -> tuple[int, str]:
    """The status, and what the check of writes says."""
    answer = await client.get("/health/ready")
    details = {each["name"]: each["detail"] for each in answer.json()["checks"]}
    assert details["postgresql"] == ""
    return answer.status_code, details["writes"]


READY = (200, "")


async def test_a_lock_that_is_held_makes_a_process_unready(commands, administrator):
    """Whether writes are waiting for it or none has come; and it is ready once the lock is free."""
    held = (503, "PostgreSQL is unavailable: another session holds a lock")
    async with log_head_locked(administrator):
        assert await readiness(commands) == held
    assert await readiness(commands) == READY
    async with log_head_locked(administrator):
        assert (await commands.post("/users", json=ALICE)).status_code == 503
        assert await readiness(commands) == held
    assert await readiness(commands) == READY
    assert (await commands.post("/users", json=ALICE)).status_code == 201


async def test_readiness_does_not_wait_for_writes_that_are_stuck(
    commands, administrator, monkeypatch
):
    """It says within seconds that none has come through for a while."""
    monkeypatch.setattr(append_health, "FRESH_SECONDS", 0.0)
    async with log_head_locked(administrator), asyncio.timeout(5):
        writing = asyncio.ensure_future(commands.post("/users", json=ALICE))
        stuck = "select from pg_locks where not granted"
        while not await administrator.fetch(stuck):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)
        assert await readiness(commands) == (503, "PostgreSQL is unavailable: no answer in time")
        assert not writing.done()
    assert (await writing).status_code == 201
    assert await readiness(commands) == READY


async def test_a_full_disk_makes_a_process_unready_until_there_is_room(commands, administrator):
    """As long as it lasts, though no write comes any more; and looking leaves nothing behind."""
    assert await readiness(commands) == READY
    await administrator.execute(FULL_DISK)
    assert (await commands.post("/users", json=ALICE)).status_code == 503
    for _ in range(3):
        assert await readiness(commands) == (
            503,
            "PostgreSQL is unavailable: its disk is full",
        )
    await administrator.execute("drop trigger refuse on events")
    assert await readiness(commands) == READY
    assert await administrator.fetchval("select count(*) from events") == 0
    assert await administrator.fetchval("select position from log_head") == 0


async def test_a_read_only_database_makes_a_process_unready(commands, administrator):
    """A standby answers every read, and takes no write."""
    database = await administrator.fetchval("select quote_ident(current_database())")
    await administrator.execute(
        f"alter database {database} set default_transaction_read_only to on"
    )
    await administrator.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await commands.get("/health/ready")  # notices that it was cut off
    assert await readiness(commands) == (503, "PostgreSQL is unavailable: it is read-only")


async def test_a_process_that_writes_is_ready_without_a_trial(commands, monkeypatch):
    """A write that succeeded a moment ago shows it."""
    assert (await commands.post("/users", json=ALICE)).status_code == 201
    monkeypatch.setattr(append_health, "TRIAL_SECONDS", 0.0)  # any would fail
    assert await readiness(commands) == READY


async def test_a_process_is_ready_while_others_write(commands, settings):
    """They hold the lock all the time, but each only for a moment."""
    async with serving(settings) as other, asyncio.TaskGroup() as group:
        writing = [
            group.create_task(
                other.post("/users", json={"name": "Bob", "email": f"{each}@example.com"})
            )
            for each in range(200)
        ]
        looks = [await readiness(commands) for _ in range(5)]
        await asyncio.gather(*writing)
    assert looks == [READY] * 5


async def test_an_outage_is_one_warning_and_a_count(commands, administrator, caplog):
    """Requests and looks at readiness alike; what was counted comes with the end."""
    end_outages()
    caplog.clear()
    caplog.set_level(logging.WARNING)
    await administrator.execute(FULL_DISK)
    for _ in range(5):
        assert (await commands.post("/users", json=ALICE)).status_code == 503
    assert (await readiness(commands))[0] == 503
    assert caplog.messages == ["PostgreSQL is unavailable: its disk is full (no space left)"]
    end_outages()
    assert caplog.messages[1:] == ["PostgreSQL: 6 calls failed in this outage."]
