"""Parks the documents of one user under load; a corrected release replays them."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import httpx

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.bootstrap import event_registry
from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.folding import differences
from tests.acceptance.http import Connection
from tests.acceptance.kills import DATABASE
from tests.acceptance.lags import Line, Others
from tests.acceptance.poisoned import BESIDE, POISONED, Poisoned
from tests.acceptance.releases import refusing
from tests.acceptance.services import SECONDS, Service, run
from tests.acceptance.switches import level

VIEWS = ("user_profiles", "user_summaries")
"""The projections that refuse the event; the third one parks nothing, and can apply it."""

ROLES = "commands,queries,projector"
WRITES_A_SECOND = 200.0
REGISTRARS = 32
COMPARED = ("name", "bio", "avatar_url", "version")
SLOWER = {50: 1.5, 99: 2.0}
"""How many times the lag before may be the lag of the others after, by percentile."""

WARM_SECONDS = 3.0


class Trial:
    """One process with all roles, of a release that cannot apply an event, then of this one."""

    def __init__(self, processes: Cluster, service: Service, line: Line) -> None:
        self._processes, self._service, self._line = processes, service, line

    async def replace(self) -> None:
        """Stop the process in an orderly way, then start the corrected release in its place."""
        begun = time.monotonic()
        self._line.is_replaced = True
        assert await asyncio.to_thread(self._service.stop) == 0
        stopped = time.monotonic()
        self._service = await self._processes.start(ROLES, PORT=self._service.port)
        self._line.is_replaced = False
        _say(
            f"restart: stopped in {stopped - begun:.1f} s, "
            f"serves again after {time.monotonic() - stopped:.1f} s"
        )

    async def check_parked(self, poisoned: Poisoned, client: httpx.AsyncClient) -> None:
        """See that the command shows the parked documents, and that the process is ready."""
        stream = {"after": f"{poisoned.refused - 1}", "limit": "1"}
        events = await client.get(f"/admin/streams/user-{POISONED}", params=stream)
        [refused] = events.json()["items"]
        for view in VIEWS:
            least = poisoned.waiting[view] - 1
            said = await self._command("parked", view, "--json")
            [found] = json.loads(said)["items"]
            _say(f"projections parked {view}: {found}")
            assert found["key"] == POISONED, found
            assert found["position"] == refused["position"], f"{found} is not of {refused}"
            # A write that is not answered yet may wait too.
            assert least <= found["waiting"] <= poisoned.waiting[view] + 1, poisoned.waiting
            assert not found["is_replaying"], found
        ready = await client.get("/health/ready")
        assert ready.status_code == 200, ready.text
        assert "No document" in await self._command("parked", "user_history")

    async def replay(self, poisoned: Poisoned) -> None:
        """Replay by command, one document by its key and one with all; both come level."""
        written = poisoned.profile["version"]
        await poisoned.replaying()
        for view, what in zip(VIEWS, (POISONED, "--all"), strict=True):
            begun = time.monotonic()
            said = await self._command("replay", view, what, "--wait")
            _say(
                f"projections replay {view} {what} --wait: {said} {time.monotonic() - begun:.1f} s"
            )
        waited = await poisoned.whole()
        _say(
            f"level {waited:.2f} s after the commands; {poisoned.profile['version'] - written} "
            "writes to the user meanwhile"
        )
        for view in VIEWS:
            assert "No document" in await self._command("parked", view)

    async def _command(self, *arguments: str) -> str:
        home, urls = self._processes.home, self._processes.urls
        done = await asyncio.to_thread(
            lambda: run("projections", *arguments, cwd=home, seconds=SECONDS, **urls)
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


async def poison(users: int, *, seconds: float = 30.0, seed: int = 1) -> str:
    """Poison one of so many users; each phase lasts so long. What was found."""
    async with cluster() as processes:
        refuses = refusing(processes.home / "refusing")
        service = await processes.start(ROLES, **refuses)
        ids = [POISONED, BESIDE, *(f"other-{each}" for each in range(users - 2))]
        begun = time.monotonic()
        await _register(int(service.port), ids)
        _say(f"{users} users registered in {time.monotonic() - begun:.1f} s")
        async with client_of(service) as client:
            line = Line()
            others = Others(client, line, ids[2:], seed=seed, rate=WRITES_A_SECOND)
            poisoned, trial = Poisoned(others), Trial(processes, service, line)
            async with others.at_work(), poisoned.at_work():
                await _phases(trial, others, poisoned, client, seconds)
            return await _found(processes, others, poisoned, users)


async def _phases(
    trial: Trial,
    others: Others,
    poisoned: Poisoned,
    client: httpx.AsyncClient,
    seconds: float,
) -> None:
    await asyncio.sleep(WARM_SECONDS)
    await others.during("before", seconds)
    await poisoned.poison()
    await others.during("parked", seconds)
    _show(others, "before")
    _show(others, "parked")
    await trial.check_parked(poisoned, client)
    await poisoned.check_history()
    await trial.replace()
    await trial.check_parked(poisoned, client)
    others.phase = "replay"
    await trial.replay(poisoned)
    others.phase = None
    await others.during("level", seconds)
    await poisoned.check_history()
    _show(others, "replay")
    _show(others, "level")


async def _register(port: int, ids: Sequence[str]) -> None:
    connections = [Connection("127.0.0.1", port) for _ in range(REGISTRARS)]

    async def register(number: int) -> None:
        for each in ids[number::REGISTRARS]:
            body = {"id": each, "name": f"Witness {each}", "email": f"{each}@example.com"}
            status, answer = await connections[number].request("POST", "/users", body)
            assert status == 201, answer
        connections[number].close()

    await asyncio.gather(*(register(each) for each in range(REGISTRARS)))


async def _found(processes: Cluster, others: Others, poisoned: Poisoned, users: int) -> str:
    """Hold all documents against the log, and against what was answered to writes."""
    ledger = others.ledger
    store = MongoReadModel(processes.urls["MONGODB_URL"], DATABASE, "motor")
    log = PostgresEventStore(processes.urls["DATABASE_URL"], event_registry())
    try:
        head = await log.head()
        await level(store, head)
        found = await differences(processes.urls["DATABASE_URL"], store)
        [profiles] = [each for each in await store.projections() if each.name == VIEWS[0]]
        due = {**others.due, POISONED: poisoned.profile}
        stored = await store.load(profiles.serving or "", list(due))
    finally:
        await log.close()
        await store.close()
    for user_id, fields in due.items():
        document = {"id": user_id, **(stored[user_id].document or {})}
        if any(document[each] != value for each, value in fields.items() if each in COMPARED):
            ledger.breaks("lost writes", f"{document} instead of {fields}")
    differing = [f"{build}: {each}" for build, all_of_it in found.items() for each in all_of_it]
    assert not differing, differing[:10]
    assert not ledger.wrong, (len(ledger.wrong), ledger.wrong[:10])
    slower = _slower(others)
    assert not slower, slower
    return (
        f"{users} users, {head} events; {dict(ledger.counts)}; 0 wrong; "
        f"0 differences in {', '.join(found)}"
    )


def _show(others: Others, phase: str) -> None:
    """Print the lags of a phase, and how many times those before the poison they are."""
    before = others.lags.percentiles("before")
    rate = f", {others.rates[phase]:.0f} writes a second" if phase in others.rates else ""
    _say(f"{phase}: the others' lag, by {others.lags.count(phase)} writes{rate}")
    for what, lags in others.lags.percentiles(phase).items():
        numbers = (
            f"p{each} {lag:6.1f} ms ({lag / before[what][each]:.2f})" for each, lag in lags.items()
        )
        _say(f"  {what:18} {', '.join(numbers)}")


def _slower(others: Others) -> list[str]:
    """Which lags grew with the poison, and not with the load of the machine alone."""
    before, parked, level = map(others.lags.percentiles, ("before", "parked", "level"))
    return [
        f"{what}: p{each} is {lag:.1f} ms, was {before[what][each]:.1f} ms"
        for what, lags in parked.items()
        for each, lag in lags.items()
        if lag > SLOWER[each] * max(before[what][each], level[what][each])
    ]


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
