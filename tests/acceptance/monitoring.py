"""Has things happen to a service that a real Prometheus scrapes, and holds the alerts against them.

    python -m tests.acceptance.monitoring alerts
    python -m tests.acceptance.monitoring series --requests 100000

alerts: under load, databases freeze, documents are parked, processes hang and are killed, clients
flood. Every alert that should fire does, and no other; in the end each query of the dashboard has
data.
series: sends random paths, methods and ids; the number of series is what it was after a hundred.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from urllib.parse import urlencode

import httpx

from app.bootstrap import all_scopes
from tests.acceptance.clusters import CONCURRENCY, Cluster, client_of, cluster, for_each
from tests.acceptance.http import Connection
from tests.acceptance.issuers import LoopbackIssuer
from tests.acceptance.prometheus import Prometheus
from tests.acceptance.releases import REFUSED, refusing
from tests.acceptance.services import ROOT, SECONDS, Service, run
from tests.acceptance.workers import children, workers
from tests.unit.api.test_metrics import strange_requests
from tests.unit.identity.issuing import AUDIENCE
from tests.unit.metrics.reading import parsed

ROLES = "commands,queries,projector"
CALM_SECONDS = 12.0
PATIENCE_SECONDS = 150.0
CLIENTS = 3

_DASHBOARD = ROOT / "deploy/grafana/dashboard.json"


def bearer(issuer: LoopbackIssuer, subject: str, *scopes: str) -> dict[str, str]:
    """The header of a client; its token is valid for an hour."""
    claims = {"sub": subject, "scope": " ".join(scopes), "exp": int(time.time()) + 3600}
    return {"Authorization": f"Bearer {issuer.token({**claims, 'aud': AUDIENCE})}"}


class Trial:
    """A service with two workers and a projector, clients at work, and Prometheus."""

    def __init__(self, processes: Cluster, service: Service, issuer: LoopbackIssuer) -> None:
        self.processes, self.service, self.issuer = processes, service, issuer
        self.client = client_of(service)
        self._stopping = False
        self.prometheus = Prometheus(
            processes.home / "prometheus",
            service.port,
            bearer(issuer, "prometheus", "metrics:read")["Authorization"].split()[1],
        )

    async def phase(
        self,
        name: str,
        begin: Callable[[], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
        must: Collection[str],
        may: Collection[str] = (),
    ) -> None:
        """Let something begin, await alerts that must fire, end it, and await that none does."""
        began, seen = time.monotonic(), set[str]()
        await begin()
        await self._watch(seen, lambda _: set(must) <= seen)
        fired = time.monotonic() - began
        await end()
        await self._watch(seen, lambda firing: not firing)
        others = sorted(seen - set(must))
        _say(
            f"{name}: {', '.join(sorted(must))} after {fired:.0f} s, resolved after "
            f"{time.monotonic() - began:.0f} s; also: {', '.join(others) or 'none'}"
        )
        assert set(others) <= set(may), others

    async def calm(self) -> None:
        """Let the load go on for a while, in which no alert may fire."""
        seen = set[str]()
        until = time.monotonic() + CALM_SECONDS
        await self._watch(seen, lambda _: time.monotonic() > until)
        assert not seen, seen
        _say("calm: no alert fires")

    async def _watch(self, seen: set[str], is_over: Callable[[frozenset[str]], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                firing = await asyncio.to_thread(self.prometheus.firing)
                seen |= {each.removeprefix("Diptych") for each in firing}
                if is_over(firing):
                    return
                await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Clients that write and read, for the length of a `with` block."""
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._work(number))
            try:
                yield
            finally:
                self._stopping = True

    async def _work(self, number: int) -> None:
        headers = bearer(self.issuer, f"client-{number}", *all_scopes())
        user = f"user-{number}"
        body = {"id": user, "name": "Alice", "email": f"alice{number}@example.com"}
        calls = (
            ("PATCH", f"/users/{user}"),
            ("GET", f"/users/{user}"),
            ("PATCH", f"/users/{user}"),
            ("GET", "/users"),
            ("GET", f"/users/{user}/history"),
        )
        await self.client.post("/users", headers=headers, json=body)
        turn = 0
        while not self._stopping:
            turn += 1
            method, path = calls[turn % len(calls)]
            content = {"bio": f"Turn {turn}."} if method == "PATCH" else None
            with contextlib.suppress(httpx.TransportError):
                await self.client.request(method, path, headers=headers, json=content)
            await asyncio.sleep(0.03)

    async def command(self, *arguments: str) -> None:
        """A command of an operator."""
        urls, home = self.processes.urls, self.processes.home
        done = await asyncio.to_thread(
            lambda: run("projections", *arguments, cwd=home, seconds=SECONDS, **urls)
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"

    async def replace(self) -> None:
        """Stop the service, and start this release in its place."""
        assert await asyncio.to_thread(self.service.stop) == 0
        await asyncio.sleep(4)
        self.service = await _start(self.processes, self.issuer, PORT=self.service.port)


async def _start(processes: Cluster, issuer: LoopbackIssuer, **settings: str) -> Service:
    trust = {"AUTH": "", "AUTH_ISSUERS": issuer.url, "AUTH_AUDIENCES": AUDIENCE}
    limits = {"RATE_LIMIT": "12000", "RATE_LIMIT_BURST": "200", "REBUILD_SHARE": "0.02"}
    return await processes.start(ROLES, WORKERS="2", **trust, **limits, **settings)


async def alerts() -> str:
    """Go through all of it. What was found."""
    with LoopbackIssuer().serving() as issuer:
        async with cluster() as processes:
            refuses = refusing(processes.home / "refusing")
            service = await _start(processes, issuer, **refuses)
            trial = Trial(processes, service, issuer)
            try:
                async with trial.at_work():
                    await _databases(trial)
                    await _parking(trial)
                    await _pause(trial)
                    await _processes(trial)
                    await _rebuild(trial)
                    await _clients(trial)
                return _queries(trial.prometheus)
            finally:
                trial.prometheus.stop()
                await trial.client.aclose()


def _signalled(pid: int, number: int) -> Callable[[], Awaitable[None]]:
    async def send() -> None:
        os.kill(pid, number)

    return send


async def _nothing() -> None:
    pass


async def _databases(trial: Trial) -> None:
    await trial.calm()
    lock = trial.processes.home / "mongodb/data/mongod.lock"
    mongod = int(lock.read_text())
    await trial.phase(
        "MongoDB does not answer",
        _signalled(mongod, signal.SIGSTOP),
        _signalled(mongod, signal.SIGCONT),
        ["NotReady", "Errors"],
        ["Slow", "ProjectionLags", "Down", "EventLoopLate"],  # a scrape takes up to 4 s then
    )


async def _parking(trial: Trial) -> None:
    async def poison() -> None:
        headers = bearer(trial.issuer, "operator", *all_scopes())
        change = {"avatar_url": f"{REFUSED}1"}
        answer = await trial.client.patch("/users/user-0", headers=headers, json=change)
        assert answer.status_code == httpx.codes.OK, answer.text

    async def correct() -> None:
        await trial.replace()
        for view in ("user_profiles", "user_summaries"):
            await trial.command("replay", view, "--all", "--wait")

    may = ["Down", "Errors"]  # by the restart
    await trial.phase("a document is parked", poison, correct, ["DocumentsParked"], may)
    await trial.calm()


async def _pause(trial: Trial) -> None:
    await trial.phase(
        "a projection is paused",
        lambda: trial.command("pause", "user_history"),
        lambda: trial.command("resume", "user_history"),
        ["ProjectionPaused"],
        ["ProjectionLags"],
    )


async def _rebuild(trial: Trial) -> None:
    # Of several batches by now: REBUILD_SHARE has it wait between them, and Prometheus see it.
    await trial.phase(
        "a rebuild waits for an operator",
        lambda: trial.command("rebuild", "user_history", "--take-over", "on-request"),
        lambda: trial.command("retire", "user_history", "2", "--yes"),
        ["BuildWaits"],
    )


async def _processes(trial: Trial) -> None:
    [projector] = set(children(trial.service)) - set(workers(trial.service))
    await trial.phase(
        "the projector hangs",
        _signalled(projector, signal.SIGSTOP),
        _signalled(projector, signal.SIGCONT),
        ["ProcessSilent", "ProjectionNotFollowed", "ProjectionLags", "NotReady"],
    )

    async def kill() -> None:
        for _ in range(4):
            for each in workers(trial.service):
                os.kill(each, signal.SIGKILL)
            await asyncio.sleep(3)

    await trial.phase(
        "workers are killed again and again",
        kill,
        _nothing,
        ["ProcessesRestart"],
        ["Down", "Errors", "ProcessSilent", "Slow"],
    )


async def _clients(trial: Trial) -> None:
    async def send(until: float, rate: float, headers: dict[str, str]) -> None:
        while time.monotonic() < until:
            sending = trial.client.get("/users", headers=headers)
            task = asyncio.create_task(sending)
            task.add_done_callback(lambda it: it.cancelled() or it.exception())
            await asyncio.sleep(1 / rate)

    async def flood() -> None:
        await send(time.monotonic() + 20, 250, bearer(trial.issuer, "flooder", "users:list"))

    async def forge() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(trial.service.port))
        writer.write(b"This is not HTTP.\r\n\r\n")
        await reader.read()
        writer.close()
        forged = {"Authorization": "Bearer forged.token.here"}
        await send(time.monotonic() + 20, 25, forged)

    await trial.phase("a client floods", flood, _nothing, ["ClientsLimited"], ["Slow"])
    await trial.phase(
        "tokens are forged", forge, _nothing, ["TokensRefused"], ["ClientsLimited", "Slow"]
    )


def _queries(prometheus: Prometheus) -> str:
    """Each query of the dashboard has data."""
    panels = json.loads(_DASHBOARD.read_text("utf-8"))["panels"]
    asked, empty = 0, []
    for panel in panels:
        for target in panel.get("targets", ()):
            query = target["expr"].replace("$instance", ".*")
            values = prometheus.history(query.replace("$__rate_interval", "6s"))
            asked += 1
            if not {each for each in values if each != "NaN"}:
                empty.append(f"{panel['title']}: {target['expr']}")
    assert not empty, "\n".join(empty)
    return f"{asked} queries of the dashboard have data"


async def series(requests: int) -> str:
    """Send so many random requests, after a hundred; the series stay the same."""
    async with cluster() as processes:
        service = await processes.start(ROLES, WORKERS="2", RATE_LIMIT="none")
        async with client_of(service) as client:
            await client.post("/users", json={"id": "known", "name": "A", "email": "a@example.com"})
            strange = strange_requests(random.Random(1), "known")

            connections = [Connection("127.0.0.1", int(service.port)) for _ in range(CONCURRENCY)]

            async def send(_: int) -> None:
                connection = connections.pop()
                try:
                    await connection.request(*_plain(**next(strange)))
                finally:
                    connections.append(connection)

            async def read() -> set[object]:
                return set(parsed((await client.get("/metrics")).text))

            await for_each(range(100), send)
            await asyncio.sleep(3)  # until all processes have reported
            await read()
            before = await read()
            began = time.monotonic()
            await for_each(range(requests), send)
            seconds = time.monotonic() - began
            await asyncio.sleep(3)
            after = await read()
            size = len((await client.get("/metrics")).content)
    assert before == after, after ^ before
    return (
        f"{len(before)} series after 100 requests, {len(after)} after {requests:,} more at "
        f"{requests / seconds:.0f} a second; {size:,} bytes"
    )


def _plain(
    method: str,
    url: str,
    json: object = None,
    params: Mapping[str, str] | None = None,
    headers: object = None,  # noqa: ARG001 - ids of requests
) -> tuple[str, str, object]:
    return method, f"{url}?{urlencode(params)}" if params else url, json


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Do one of them, from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    trials = parser.add_subparsers(required=True)
    trials.add_parser("alerts").set_defaults(test=lambda _: alerts())
    counting = trials.add_parser("series")
    counting.add_argument("--requests", type=int, default=100_000)
    counting.set_defaults(test=lambda options: series(options.requests))
    options = parser.parse_args()
    if not shutil.which("prometheus"):
        parser.error(
            "prometheus is not installed; on Debian and Ubuntu: apt-get install prometheus"
        )
    started = time.monotonic()
    said = asyncio.run(options.test(options))
    sys.stdout.write(f"{said}; {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
