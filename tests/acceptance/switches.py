"""Rebuilds every projection of a large log under load, and has builds take over and go back."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.adapters.mongo import MongoReadModel
from app.framework.projections import BuildRecord, BuildState, TakeOver
from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.folding import FOLLOWED
from tests.acceptance.http import Connection
from tests.acceptance.kills import DATABASE
from tests.acceptance.made_up_log import write_log
from tests.acceptance.operators import PROJECTIONS, rebuild, switch
from tests.acceptance.services import Service, run
from tests.acceptance.witnesses import Witnesses
from tests.people import person

CONNECTIONS = 4
POLL_SECONDS = 0.1
IMPORT_SECONDS = 3600.0
PAGE, USERS = 5, 5
"""How long a page is, and how many users a client registers: some pages, read amid the switches."""


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


class Load:
    """Writes and reads of users by some connections, each without a pause.

    done: the times at which writes and reads were answered.
    """

    def __init__(self, port: int, users: int) -> None:
        self._port, self._users = port, users
        self._stopping = False
        self.writes = 0
        self.done: dict[str, list[float]] = {"PUT": [], "GET": []}

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Keep it up for the length of a `with` block."""
        async with asyncio.TaskGroup() as group:
            for number in range(CONNECTIONS):
                for method in self.done:
                    group.create_task(self._go_on(method, random.Random(f"{method} {number}")))
            try:
                yield
            finally:
                self._stopping = True

    async def _go_on(self, method: str, chance: random.Random) -> None:
        connection = Connection("127.0.0.1", self._port)
        while not self._stopping:
            who = person(chance.randrange(self._users))
            body = {"bio": f"{chance.random()}"} if method == "PUT" else None
            status, answer = await connection.request(method, f"/users/{who.id}", body)
            assert status == 200, answer
            self.writes += method == "PUT"
            self.done[method].append(time.monotonic())
        connection.close()

    def rate(self, method: str, spans: Sequence[tuple[float, float]]) -> float:
        """How many were answered a second, within `spans`."""
        done = self.done[method]
        answered = sum(begin <= each < end for begin, end in spans for each in done)
        return answered / sum(end - begin for begin, end in spans)


class Rebuilding:
    """Rebuilds of all projections on one projector."""

    def __init__(self, store: MongoReadModel, projector: Service, load: Load) -> None:
        self._store, self._projector, self._load = store, projector, load
        self.beside: list[tuple[float, float]] = []
        self.alone: list[tuple[float, float]] = []

    async def rest(self, seconds: float) -> None:
        """Let the load go on alone."""
        begun = time.monotonic()
        await asyncio.sleep(seconds)
        self.alone.append((begun, time.monotonic()))

    async def all_at_once(self) -> list[str]:
        """Rebuild all projections; the ids of the builds."""
        begun = time.monotonic()
        ids = [await rebuild(self._store, each, TakeOver.ON_REQUEST) for each in PROJECTIONS]
        comparing: dict[str, float] = {}
        ready: dict[str, float] = {}
        while len(ready) < len(ids):
            for build in await builds(self._store):
                if build.id in ids and build.id not in ready:
                    self._note(build, begun, comparing, ready)
            await asyncio.sleep(POLL_SECONDS)
        self.beside.append((begun, time.monotonic()))
        return ids

    def _note(
        self, build: BuildRecord, begun: float, comparing: dict[str, float], ready: dict[str, float]
    ) -> None:
        now = time.monotonic()
        if build.state is not BuildState.BUILDING and build.id not in comparing:
            comparing[build.id] = now
            seconds = now - begun
            _say(
                f"  {build.id}: {build.position} events in {seconds:.1f} s, "
                f"{build.position / seconds:.0f} a second"
            )
        if build.state is BuildState.READY:
            ready[build.id] = now
            found = build.comparison
            assert found is not None
            assert not found.differing, found
            _say(
                f"  {build.id}: {found.compared} documents compared in "
                f"{now - comparing[build.id]:.1f} s, {found.differing} differ"
            )

    def report(self) -> str:
        """The rates beside rebuilds and without them, and the projector's memory."""
        words = []
        for method in self._load.done:
            beside = self._load.rate(method, self.beside)
            alone = self._load.rate(method, self.alone)
            words.append(
                f"{method} {beside:.0f} a second beside rebuilds, {alone:.0f} without "
                f"({beside / alone:.2f})"
            )
        return f"{', '.join(words)}; projector: {peak(self._projector)} MB at most"


def peak(service: Service) -> int:
    """The largest resident set of a process, in MB; 0 where the system does not tell."""
    status = Path(f"/proc/{service.process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(each.split()[1]) // 1000 for each in lines if each.startswith("VmHWM"))


async def builds(store: MongoReadModel) -> list[BuildRecord]:
    """All builds."""
    return [build for each in await store.projections() for build in each.builds]


async def level(store: MongoReadModel, head: int) -> None:
    """Return once all builds are at the end of the log."""
    while True:
        found = [each for each in await builds(store) if each.state in FOLLOWED]
        if len(found) >= len(PROJECTIONS) and min(each.position for each in found) >= head:
            return
        await asyncio.sleep(POLL_SECONDS)


async def switches(
    events: int, clients: int, *, rounds: int = 1, rest_seconds: float = 20.0
) -> str:
    """Rebuild a log of so many events, and switch while so many clients look."""
    async with cluster() as processes:
        users = await asyncio.to_thread(load_log, processes, events)
        service = await processes.start("commands,queries")
        begun = time.monotonic()
        projector = await processes.start("projector")
        store = MongoReadModel(processes.urls["MONGODB_URL"], DATABASE, "motor")
        try:
            await level(store, events)
            seconds = time.monotonic() - begun
            _say(
                f"the first builds: {seconds:.1f} s, {events / seconds:.0f} events a second each; "
                f"projector: {peak(projector)} MB at most"
            )
            load = Load(int(service.port), users)
            rebuilding = Rebuilding(store, projector, load)
            async with load.going_on():
                await rebuilding.rest(rest_seconds)
                for _ in range(rounds):
                    others = await rebuilding.all_at_once()
                    await rebuilding.rest(rest_seconds)
            _say(rebuilding.report())
            head = events + load.writes
            await level(store, head)
            return await _switch(service, store, others, head, clients)
        finally:
            await store.close()


async def _switch(
    service: Service, store: MongoReadModel, others: Sequence[str], head: int, clients: int
) -> str:
    """Let the builds `others` serve, those before again, and so on, under the eyes of clients."""
    async with client_of(service, 6 * clients) as client:
        witnesses = Witnesses(
            client, 1, pause=0.05, page=PAGE, after=head, readers=clients, users=USERS
        )
        async with witnesses.at_work(writers=clients, pagers=clients):
            before = [each.serving or "" for each in await store.projections()]
            begun = time.monotonic()
            for ids in (others, before, others):
                await _seen(witnesses, clients)
                for name in PROJECTIONS:
                    [to] = [each for each in ids if each.startswith(name)]
                    assert await switch(store, name, to)
                    served = {each.name: each.serving for each in await store.projections()}
                    assert served[name] == to
                await _seen(witnesses, clients)
            seconds = time.monotonic() - begun
    ledger = witnesses.ledger
    assert not ledger.wrong, ledger.wrong[:10]
    cuts = sum(each.cuts for each in witnesses.readers)
    return (
        f"taken over, gone back, taken over in {seconds:.1f} s; {clients} clients: "
        f"{dict(ledger.counts)}, {len(witnesses.readers)} streams of {ledger.events} changes, cut "
        f"off {cuts} times; 0 errors"
    )


async def _seen(witnesses: Witnesses, lists: int) -> None:
    """Return once the clients have listed so often, and a second is over."""
    goal = witnesses.ledger.counts["lists"] + lists
    await asyncio.sleep(1)
    while witnesses.ledger.counts["lists"] < goal:  # noqa: ASYNC110 - of many clients
        await asyncio.sleep(POLL_SECONDS)


def load_log(processes: Cluster, events: int) -> int:
    """Import a log of so many events; how many users it is of."""
    file = processes.home / "log.jsonl"
    users = write_log(file, events)
    begun = time.monotonic()
    for arguments in (("migrate",), ("import", str(file))):
        done = run(*arguments, cwd=processes.home, seconds=IMPORT_SECONDS, **processes.urls)
        assert done.returncode == 0, done.stderr
    _say(f"{events} events of {users} users imported in {time.monotonic() - begun:.0f} s")
    file.unlink()
    return users
