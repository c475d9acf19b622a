"""Fills the stores with the same users, by the ways that are open to each."""

import asyncio
import dataclasses
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
from pymongo import MongoClient

from app.adapters.postgres import PostgresEventStore, migrate
from app.bootstrap import event_registry
from app.contexts.users.domain.events import UserBioChanged, UserNameChanged, UserRegistered
from app.framework.eventsourcing import Append, Claim, Event
from benchmarks.baselines import asyncpg_crud, motor_reads
from benchmarks.people import person
from benchmarks.servers import database_url

AT_ONCE = 512


async def create_database(postgres: str, name: str) -> str:
    """A new database of the PostgreSQL at `postgres`; its URL."""
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return database_url(postgres, name)


def seed_event_store(url: str, *, users: int, events_a_user: int = 1) -> None:
    """Migrate the database at `url` and record so many users, each of so many events."""
    migrate(url)
    asyncio.run(_record(url, users, events_a_user))


async def _record(url: str, users: int, events_a_user: int) -> None:
    store = PostgresEventStore(url, event_registry())
    numbers = iter(range(users))

    async def work() -> None:
        for number in numbers:
            who = person(number)
            await store.append(
                Append(
                    stream_id=f"user-{who.id}",
                    expected_version=0,
                    events=list(itertools.islice(_life(number), events_a_user)),
                    claims=[Claim("email", who.email)],
                )
            )

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    await store.close()


def _life(number: int) -> Iterator[Event]:
    who = person(number)
    yield UserRegistered(who.id, who.name, who.email, who.avatar_url)
    for again in itertools.count(1):
        # After 1, 2 or 5, 6 or 9, 10 ... events there is no bio, as `load.lua` expects.
        yield UserNameChanged(f"{who.name} {again}")
        yield UserBioChanged(f"Take {again}.")
        yield UserBioChanged(None)
        yield UserNameChanged(who.name)


async def seed_asyncpg_crud(url: str, *, users: int) -> None:
    """Make the table of the plain service on asyncpg, with so many users."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(asyncpg_crud.SCHEMA)
        await connection.copy_records_to_table(
            "users",
            columns=["id", "name", "email", "avatar_url"],
            records=[dataclasses.astuple(person(each)) for each in range(users)],
        )
        await connection.execute("vacuum analyze users")
    finally:
        await connection.close()


def seed_motor_reads(url: str, *, users: int) -> None:
    """Make the collection of the plain service on motor, with so many users."""
    now = datetime.now(UTC)
    with MongoClient[dict[str, Any]](url, w="majority") as client:
        collection = client[motor_reads.DATABASE][motor_reads.COLLECTION]
        collection.create_index(motor_reads.INDEX)
        collection.insert_many(
            {
                "_id": who.id,
                "name": who.name,
                "email": who.email,
                "avatar_url": who.avatar_url,
                "bio": None,
                "status": "active",
                "version": 1,
                "created_at": now,
                "updated_at": now,
            }
            for who in map(person, range(users))
        )
