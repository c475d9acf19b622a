"""Everything that is compared, side by side on the same two databases."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import asyncpg

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import embedded_servers
from benchmarks.seeding import (
    create_database,
    seed_asyncpg_crud,
    seed_event_store,
    seed_motor_reads,
)
from benchmarks.servers import SERVICE, Server, database_url, serving

CATCH_UP_SECONDS = 900.0

SERVICE_NAME = "Diptych"
ASYNCPG, MOTOR, CEILING = "FastAPI + asyncpg", "FastAPI + motor", "FastAPI, no I/O"


@dataclass(frozen=True, slots=True)
class Databases:
    """Where PostgreSQL and mongod are, and a folder for logs."""

    postgres: str
    mongodb: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under load.

    written: how many changes it has stored since it was made.
    settled: returns once it has done what the load has left it to do.
    """

    server: Server
    written: Callable[[], int]
    settled: Callable[[], object]


@contextlib.contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    """Embedded servers with their default settings, for the length of a `with` block."""
    with embedded_servers(folder / "data", initiate) as urls:
        yield Databases(str(urls.postgres), str(urls.mongodb), folder)


@contextlib.contextmanager
def service(
    on: Databases, name: str, *, users: int, events_a_user: int = 1, **settings: str
) -> Iterator[Contender]:
    """This service as `make run` starts it, on databases of its own; it has not caught up.

    Its settings are the default ones but for `settings`.
    """
    url = asyncio.run(create_database(on.postgres, name))
    seed_event_store(url, users=users, events_a_user=events_a_user)
    with serving(
        SERVICE_NAME, *SERVICE, log=on.folder / f"{name}.log", **environment(on, name), **settings
    ) as server:
        yield Contender(server, lambda: head(server), lambda: await_caught_up(server))


def environment(on: Databases, name: str) -> dict[str, str]:
    """The settings of a service on the databases of this name."""
    return {
        "DATABASE_URL": database_url(on.postgres, name),
        "MONGODB_URL": on.mongodb,
        "MONGODB_DATABASE": name,
        "AUTH": "none",
        "RATE_LIMIT": "none",
    }


@contextlib.contextmanager
def baselines(on: Databases, *, users: int) -> Iterator[dict[str, Contender]]:
    """The plain services, with the same users."""
    url = asyncio.run(create_database(on.postgres, "baseline"))
    asyncio.run(seed_asyncpg_crud(url, users=users))
    seed_motor_reads(on.mongodb, users=users)
    log = on.folder / "baselines.log"
    with (
        serving(ASYNCPG, "benchmarks.baselines.asyncpg_crud", log=log, DATABASE_URL=url) as crud,
        serving(MOTOR, "benchmarks.baselines.motor_reads", log=log, MONGODB_URL=on.mongodb) as read,
        serving(CEILING, "benchmarks.baselines.ceiling", log=log) as ceiling,
    ):
        yield {
            ASYNCPG: Contender(crud, lambda: asyncio.run(_versions(url)), _at_once),
            MOTOR: Contender(read, lambda: 0, _at_once),
            CEILING: Contender(ceiling, lambda: 0, _at_once),
        }


def projections(server: Server) -> list[dict[str, Any]]:
    """How far each projection is."""
    with urlopen(f"{server.url}/projections") as answer:
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items


def head(server: Server) -> int:
    """The position of the last event in the log."""
    return max(each["head"] or 0 for each in projections(server))


def await_caught_up(server: Server) -> float:
    """Wait until no projection is behind; the seconds that took."""
    began = time.monotonic()
    while any(each["lag"] != 0 for each in projections(server)):
        waited = time.monotonic() - began
        if waited > CATCH_UP_SECONDS:
            raise TimeoutError(f"The projections do not catch up: {projections(server)}")
        time.sleep(max(0.01, waited / 50))  # to ask costs what is measured time
    return time.monotonic() - began


async def _versions(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select sum(version) from users"))
    finally:
        await connection.close()


def _at_once() -> None:
    pass
