"""Loads users over HTTP, updates each twice, and kills the service again and again on the way.

    python -m tests.acceptance.endurance --users 100000 --kills 8 --workers 2

Whatever was acknowledged must be there in the end, once: every user at version 3 with the
values sent, as many events in the log as were needed, and each stored document equal to a fold
of the log (`python -m app projections verify`).
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from app.contexts.users.projections import USER_PROFILES
from tests.acceptance.http import Answer, Connection
from tests.acceptance.services import SERVE, UNMEASURED, Service, run
from tests.people import Person, person

CONCURRENCY = 32
PATIENCE_SECONDS = 60.0
EVENTS_A_USER = 3


class Mortal:
    """A service that is killed and started again, on the same port."""

    def __init__(self, data_dir: Path, workers: int) -> None:
        self._data_dir = data_dir
        self._settings = {"LOG_LEVEL": "error", "WORKERS": str(workers), **UNMEASURED}
        self.kills = 0
        self.service = Service(data_dir, SERVE, None, **self._settings).await_serving()

    async def kill(self) -> None:
        """Kill it on the spot, and start it again."""
        port = self.service.port
        self.service.process.kill()
        self.service.await_end()
        self.kills += 1
        self.service = Service(self._data_dir, SERVE, None, PORT=port, **self._settings)
        await asyncio.to_thread(self.service.await_serving)


class Load:
    """Writes that do not end before they are acknowledged."""

    def __init__(self) -> None:
        self._acknowledged = 0
        self._waiting: tuple[int, asyncio.Event] = (0, asyncio.Event())

    async def reached(self, point: int) -> None:
        """Return once so many writes are acknowledged."""
        self._waiting = (point, asyncio.Event())
        await self._waiting[1].wait()

    async def register(self, connection: Connection, who: Person) -> None:
        """Register someone; that they exist already is the answer that got lost."""
        body = {"id": who.id, "name": who.name, "email": who.email, "avatar_url": who.avatar_url}
        status, answer = await self._send(connection, "POST", "/users", body)
        assert status == 201 or answer["code"] == "user-already-exists", answer

    async def rename(self, connection: Connection, who: Person) -> None:
        """Give someone another name."""
        body = {"name": who.new_name}
        status, answer = await self._send(connection, "PUT", f"/users/{who.id}", body)
        assert (status, answer["version"]) == (200, 2), answer

    async def describe(self, connection: Connection, who: Person) -> None:
        """Give someone a bio."""
        status, answer = await self._send(connection, "PATCH", f"/users/{who.id}", {"bio": who.bio})
        assert (status, answer["version"]) == (200, 3), answer

    async def _send(self, connection: Connection, method: str, path: str, body: object) -> Answer:
        """Send until it is answered; a write whose answer got lost is simply sent again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, answer = await connection.request(method, path, body)
                if status != HTTPStatus.SERVICE_UNAVAILABLE:
                    self._count()
                    return status, answer
                assert time.monotonic() < deadline, answer
            except (OSError, EOFError):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)

    def _count(self) -> None:
        self._acknowledged += 1
        point, reached = self._waiting
        if self._acknowledged >= point:
            reached.set()


async def check(connection: Connection, who: Person) -> None:
    """See that someone is as they should be, as soon as the projector has caught up."""
    expected = {
        "id": who.id,
        "name": who.new_name,
        "email": who.email,
        "avatar_url": who.avatar_url,
        "bio": who.bio,
        "status": "active",
        "version": EVENTS_A_USER,
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        _, found = await connection.request("GET", f"/users/{who.id}")
        if expected.items() <= found.items():
            return
        assert time.monotonic() < deadline, f"{found} is not {expected}"
        await asyncio.sleep(0.05)


async def endure(users: int, kills: int, data_dir: Path, *, workers: int = 1) -> str:
    """Do all of it with so many users and kills; what `projections verify` said."""
    mortal = Mortal(data_dir, workers)
    try:
        load, port = Load(), int(mortal.service.port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_kill_on_the_way(mortal, load, users, kills))
            group.create_task(_load(load, port, users))
        await _for_each(port, users, check)
        found = run(
            "projections", "verify", cwd=data_dir.parent, seconds=1800, DATA_DIR=str(data_dir)
        )
        assert found.returncode == 0, found.stdout
        rows = {each.split()[0]: each.split() for each in found.stdout.splitlines()}
        position, head, documents = map(int, rows[USER_PROFILES.name][3:6])
        assert (position, head, documents) == (*[users * EVENTS_A_USER] * 2, users)
        assert mortal.service.stop() == 0
    finally:
        mortal.service.clean_up()
    assert mortal.kills == kills
    return found.stdout


async def _load(load: Load, port: int, users: int) -> None:
    for step in (load.register, load.rename, load.describe):
        await _for_each(port, users, step)


async def _kill_on_the_way(mortal: Mortal, load: Load, users: int, kills: int) -> None:
    """Kill the service at random points, while writes are under way."""
    chance = random.Random(users)
    points = sorted(chance.sample(range(1, users * EVENTS_A_USER - CONCURRENCY * 2), kills))
    for point in points:
        await load.reached(point)
        await mortal.kill()


async def _for_each(
    port: int, users: int, step: Callable[[Connection, Person], Awaitable[None]]
) -> None:
    numbers = iter(range(users))

    async def work() -> None:
        connection = Connection("127.0.0.1", port)
        for number in numbers:
            await step(connection, person(number))
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work())


def main() -> None:
    """Run it from the command line, in a data directory that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="diptych-endurance-") as folder:
        data_dir, workers = Path(folder) / "data", options.workers
        said = asyncio.run(endure(options.users, options.kills, data_dir, workers=workers))
    seconds = time.monotonic() - started
    sys.stdout.write(f"{said}{options.users} users, {options.kills} kills: {seconds:.0f} s\n")


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main()
