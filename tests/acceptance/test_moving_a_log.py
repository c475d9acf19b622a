"""`export` and `import` as real processes, which are killed on the way."""

import asyncio
import contextlib
import io
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.adapters.memory.stored_log import MemoryStoredLog
from app.adapters.postgres import ImportUnfinished, PostgresEventStore, PostgresStoredLog
from app.bootstrap import all_projections, event_registry, register_commands
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import EmailTaken
from app.framework.eventsourcing import Claim, RecordedEvent
from app.framework.eventsourcing.archive import LogStream, export_log
from app.framework.mediator import Mediator
from app.framework.projections import fold
from tests.acceptance.services import environment, run
from tests.people import person
from tests.unit.eventsourcing.archives import Steps
from tests.world import FROM_ANYONE, World

USERS = 1000
SEED = 17

GATE = 1
HALT = f"""
create function halt() returns trigger language plpgsql
as 'begin perform pg_advisory_xact_lock_shared({GATE}); return new; end';
"""
"""What comes to it waits as long as the gate is closed."""

WAITING = """
select exists (
    select from pg_locks join pg_database on pg_database.oid = pg_locks.database
    where datname = current_database() and locktype = 'advisory' and not granted
)
"""


@pytest.fixture(scope="module")
async def world() -> World:
    """Some thousand events of users: all change their name and bio, some their address."""
    filled = World()
    for who in map(person, range(USERS)):
        await filled.send(RegisterUser(who.id, who.name, who.email, who.avatar_url))
    for number in range(0, USERS, 3):
        who = person(number)
        await filled.send(UpdateUserProfile(who.id, email=f"{number}@new.example.com"))
    for who in map(person, range(USERS)):
        await filled.send(UpdateUserProfile(who.id, name=who.new_name, bio=who.bio))
    return filled


@pytest.fixture
async def connection(postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """To look at what the processes do."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


async def exported(log: Any) -> bytes:
    """What an export that nothing disturbs writes."""
    stream = io.BytesIO()
    await export_log(log, LogStream(stream), Steps())
    return stream.getvalue()


Reached = Callable[[], Awaitable[bool]]


async def kill_once(reached: Reached, *arguments: str, url: str, cwd: Path) -> None:
    """Run `python -m app`, and kill it as soon as it has come so far, or has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *arguments,
        cwd=cwd,
        env=environment(DATABASE_URL=url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not await reached():
                if process.returncode is not None:
                    return
                await asyncio.sleep(0.001)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def documents(events: Sequence[RecordedEvent]) -> dict[str, Any]:
    """All documents of all views."""
    return {each.id: fold(each, {}, events) for each in all_projections()}


async def test_an_import_that_is_killed_goes_on(world, postgres_url, connection, tmp_path):
    """What comes out has the same events, documents and claims, and goes on from there."""
    chance = random.Random(SEED)
    file = tmp_path / "log.jsonl"
    file.write_bytes(await exported(MemoryStoredLog(world.event_store)))
    events = await world.log()
    store = PostgresEventStore(postgres_url, event_registry())
    await connection.execute(HALT)

    async def waits() -> bool:
        return await connection.fetchval(WAITING)

    for table, row in (
        ("events", f"position = {chance.randrange(1, len(events))}"),
        ("streams", f"stream_id = '{chance.choice(events).stream_id}'"),
    ):
        await connection.execute(
            f"select pg_advisory_lock({GATE}); create trigger halt before insert on {table} "
            f"for each row when (new.{row}) execute function halt()"
        )
        await kill_once(waits, "import", str(file), url=postgres_url, cwd=tmp_path)
        await connection.execute(f"drop trigger halt on {table}; select pg_advisory_unlock({GATE})")
        with pytest.raises(ImportUnfinished):
            await store.check()
        assert await store.read(after=0, limit=1) == []
    done = run("import", str(file), cwd=tmp_path, DATABASE_URL=postgres_url)
    assert done.returncode == 0, done.stderr
    assert f"up to position {len(events):,}" in done.stdout
    assert f"Rebuilding claims: {len(events):,} of {len(events):,}" in done.stderr

    await store.check()
    imported = [*await store.read(after=0, limit=len(events) + 1)]
    assert imported == events
    assert documents(imported) == documents(events)
    held = await connection.fetch("select scope, key, stream_id from claims")
    assert {Claim(scope, key): stream for scope, key, stream in held} == world.event_store._claims
    await goes_on(store, len(events))
    await store.close()


async def goes_on(store: PostgresEventStore, head: int) -> None:
    """An address that is held is refused, one that was given up is free, versions are the next."""
    mediator = Mediator()
    register_commands(mediator, store)
    with pytest.raises(EmailTaken):
        await mediator.send(RegisterUser("eve", "Eve", "3@NEW.example.com"), FROM_ANYONE)
    outcome = await mediator.send(RegisterUser("eve", "Eve", person(3).email), FROM_ANYONE)
    assert outcome.position == head + 1
    outcome = await mediator.send(UpdateUserProfile(person(4).id, name="New"), FROM_ANYONE)
    assert (outcome.version, outcome.position) == (4, head + 2)


async def test_an_export_that_is_killed_goes_on(world, postgres_url, tmp_path):
    """In the end the file is what an export that nothing disturbs writes."""
    store = MemoryStoredLog(world.event_store)
    file, log = tmp_path / "log.jsonl", PostgresStoredLog(postgres_url)
    file.write_bytes(await exported(store))
    assert run("import", str(file), cwd=tmp_path, DATABASE_URL=postgres_url).returncode == 0
    whole = await exported(log)
    await log.close()
    copy = tmp_path / "copy.jsonl"

    async def has_begun() -> bool:
        return copy.exists() and copy.stat().st_size > 0

    await kill_once(has_begun, "export", str(copy), url=postgres_url, cwd=tmp_path)
    assert whole.startswith(copy.read_bytes())
    done = run("export", str(copy), cwd=tmp_path, DATABASE_URL=postgres_url)
    assert done.returncode == 0, done.stderr
    assert copy.read_bytes() == whole
    done = run("export", cwd=tmp_path, DATABASE_URL=postgres_url)
    assert done.stdout.encode() == whole
