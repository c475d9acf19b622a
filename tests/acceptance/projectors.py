"""Kills, freezes, stops and adds projector processes in random order, under load.

    python -m tests.acceptance.projectors --rounds 100 --seed 1

What a process worked on must be taken over within 10 s when it is killed or frozen, and within 2 s
when it stops. A process that was frozen and woken changes nothing; one that is added takes nothing
from one that lives. In the end each document equals a fold of the log.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.bootstrap import all_projections, event_registry
from app.framework.projections import BuildRecord, audit
from app.framework.storage import Storage
from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.promises import registration
from tests.acceptance.services import Service
from tests.people import person

TAKEN_OVER_SECONDS = 10.0
STOPPED_SECONDS = 2.0
POLL_SECONDS = 0.05
WRITERS = 4
PAUSE_SECONDS = 0.05
"""Of each writer: some 80 writes a second leave room for the start of processes."""
USERS = 200
MOST, LEAST = 4, 2
"""How many projector processes there are at a time."""


class Moved(AssertionError):
    """A build was taken from a process that lives."""


@dataclass
class Trial:
    """Projector processes on one log that grows.

    living: those that hold what they hold; frozen and stopping ones are not among them.
    last, worst: the seconds until others had taken over, the last time and of each kind.
    is_over: ends what runs in the background. A driver may lose a cancellation.
    """

    processes: Cluster
    log: PostgresEventStore
    read_model: MongoReadModel
    living: list[Service] = field(default_factory=list)
    builds: Mapping[str, BuildRecord] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)
    last: float = 0.0
    is_over: bool = False

    async def add(self, number: int = 1) -> None:
        """Start processes, which are ready when this returns."""
        added = await asyncio.gather(*(self.processes.start("projector") for _ in range(number)))
        self.living += added
        await asyncio.gather(*(_ready(each) for each in added))

    async def kill(self, service: Service) -> None:
        """Kill a process; others have what it had."""
        lost = self.held_by(service)
        self.living.remove(service)
        service.process.kill()
        await self._taken_over("kill", lost, TAKEN_OVER_SECONDS)
        service.await_end()

    async def freeze(self, service: Service) -> None:
        """Freeze a process; others have what it had."""
        lost = self.held_by(service)
        self.living.remove(service)
        os.kill(service.process.pid, signal.SIGSTOP)
        await self._taken_over("freeze", lost, TAKEN_OVER_SECONDS)

    async def wake(self, service: Service, seconds: float) -> None:
        """Wake a frozen process after so many seconds; others keep what they took over."""
        await asyncio.sleep(seconds)
        os.kill(service.process.pid, signal.SIGCONT)
        self.living.append(service)
        await _ready(service)

    async def stop(self, service: Service) -> None:
        """Have a process stop in an orderly way; others have what it had."""
        lost = self.held_by(service)
        self.living.remove(service)
        service.process.terminate()
        await self._taken_over("stop", lost, STOPPED_SECONDS)
        assert await asyncio.to_thread(service.await_end) == 0

    def held_by(self, service: Service) -> list[str]:
        """The ids of the builds that a process works on."""
        return [each.id for each in self.builds.values() if pid_of(each) == service.process.pid]

    @property
    def holders(self) -> list[Service]:
        """The processes that work on something."""
        return [each for each in self.living if self.held_by(each)]

    async def all_held(self) -> None:
        """Return once a living process works on each build."""
        await self._held_by_living([each.id for each in all_projections()])

    async def watch(self) -> None:
        """Look at who works on what; fail if a build moves from a process that lives."""
        while not self.is_over:
            before = self.builds
            lived = {each.process.pid for each in self.living}
            self.builds = {
                build.id: build
                for projection in await self.read_model.projections()
                for build in projection.builds
            }
            lives = {each.process.pid for each in self.living}
            for each in before.values():
                has_moved = self.builds[each.id].epoch != each.epoch
                if has_moved and pid_of(each) in lived & lives:
                    raise Moved(f"{each.id} from {each.holder} to {self.builds[each.id].holder}")
            await asyncio.sleep(POLL_SECONDS)

    async def _taken_over(self, how: str, lost: Collection[str], limit: float) -> None:
        began = time.monotonic()
        async with asyncio.timeout(limit):
            await self._held_by_living(lost)
        self.last = time.monotonic() - began
        self.worst[how] = max(self.worst.get(how, 0.0), self.last)

    async def _held_by_living(self, wanted: Iterable[str]) -> None:
        def are_held() -> bool:
            living = {each.process.pid for each in self.living}
            return all(
                each in self.builds and pid_of(self.builds[each]) in living for each in wanted
            )

        await _until(are_held)

    async def differences(self) -> list[str]:
        """How the documents differ from a fold of the log, once they have reached its end."""
        head = await self.log.head()
        async with asyncio.timeout(60):
            await _until(lambda: all(each.position >= head for each in self.builds.values()))
        found = [
            await audit(self.log, self.read_model, each, build=each.id)
            for each in all_projections()
        ]
        return [str(difference) for each in found for difference in each.differences]


def pid_of(build: BuildRecord) -> int | None:
    """The process that works on a build."""
    return int(build.holder.split(":")[1]) if build.holder else None


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - of processes
        await asyncio.sleep(POLL_SECONDS)


async def _ready(service: Service) -> None:
    async with client_of(service) as client:
        while (await client.get("/health/ready")).status_code != HTTPStatus.OK:  # noqa: ASYNC110 - of a process
            await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def trial(first: int) -> AsyncIterator[Trial]:
    """A trial that has so many processes, while users are registered and changed."""
    async with cluster() as processes:
        urls = processes.urls
        log = PostgresEventStore(urls["DATABASE_URL"], event_registry())
        read_model = MongoReadModel(urls["MONGODB_URL"], urls["MONGODB_DATABASE"], "pymongo")
        found = Trial(processes, log, read_model)
        async with (
            _closing(log),
            _closing(read_model),
            asyncio.TaskGroup() as group,
        ):
            group.create_task(found.watch())
            writer, _ = await asyncio.gather(processes.start("commands"), found.add(first))
            for each in range(WRITERS):
                group.create_task(_write(found, writer, each))
            await found.all_held()
            yield found
            found.is_over = True


@contextlib.asynccontextmanager
async def _closing(storage: Storage) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await storage.close()


async def _write(trial: Trial, service: Service, writer: int) -> None:
    """Register users, and change them until the trial is over."""
    async with client_of(service) as client:
        for number in range(writer, USERS, WRITERS):
            answer = await client.post("/users", json=registration(number))
            assert answer.status_code == 201, answer.text
        for change in itertools.takewhile(lambda _: not trial.is_over, itertools.count()):
            who = person(writer + WRITERS * (change % (USERS // WRITERS)))
            answer = await client.patch(f"/users/{who.id}", json={"bio": f"{change}"})
            assert answer.status_code == 200, answer.text
            await asyncio.sleep(PAUSE_SECONDS)


async def rounds(number: int, seed: int) -> str:
    """Carry out so many rounds; what they showed."""
    chance = random.Random(seed)
    counts: dict[str, int] = {}
    async with trial(3) as found:
        for each in range(1, number + 1):
            began, what = time.monotonic(), _choice(chance, len(found.living))
            counts[what] = counts.get(what, 0) + 1
            service = chance.choice(found.holders)
            match what:
                case "add":
                    await found.add()
                case "kill":
                    await found.kill(service)
                case "stop":
                    await found.stop(service)
                case "freeze":
                    await found.freeze(service)
                    await found.wake(service, chance.uniform(1, 24))
            await found.all_held()
            differences = await found.differences() if each % 10 == 0 else []
            assert not differences, differences
            holders = "+".join(str(len(found.held_by(living))) for living in found.living)
            taken = "" if what == "add" else f", taken over after {found.last:.1f} s"
            _say(
                f"{each}: {what} in {time.monotonic() - began:.1f} s{taken}, "
                f"log at {await found.log.head()}, held {holders}"
            )
        differences = await found.differences()
        events = await found.log.head()
    assert not differences, differences
    worst = ", ".join(f"{how} {seconds:.1f} s" for how, seconds in sorted(found.worst.items()))
    did = ", ".join(f"{times} times {what}" for what, times in sorted(counts.items()))
    return (
        f"{number} rounds ({did}) over {events} events: taken over at worst after {worst}; "
        "nothing moved from a process that lived; 0 differences"
    )


def _choice(chance: random.Random, living: int) -> str:
    if living >= MOST:
        return chance.choice(["kill", "stop", "freeze"])
    if living <= LEAST:
        return chance.choice(["add", "add", "freeze"])
    return chance.choice(["add", "kill", "stop", "freeze"])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Carry out the rounds that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    said = asyncio.run(rounds(options.rounds, options.seed))
    _say(f"{said}; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
