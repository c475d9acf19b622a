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
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import httpx

from app.bootstrap import all_scopes
from tests.acceptance.clusters import CONCURRENCY, client_of, cluster, for_each
from tests.acceptance.console_pictures import pictures
from tests.acceptance.http import Connection
from tests.acceptance.issuers import LoopbackIssuer
from tests.acceptance.monitored import ROLES, Flood, Trial, bearer, start, token_of
from tests.acceptance.prometheus import Prometheus
from tests.acceptance.releases import REFUSED, refusing
from tests.acceptance.services import ROOT
from tests.acceptance.switches import load_log
from tests.acceptance.workers import children, workers
from tests.unit.api.test_metrics import strange_requests
from tests.unit.metrics.reading import parsed

EVENTS = 10_000
"""Those that a rebuild begins with: of several batches, so that Prometheus sees it on its way."""

_DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
_ON_ITS_WAY = """\
diptych_build_events_per_second > 0
and on (projection, build) diptych_build_state{state="building"} == 1
"""


async def alerts(folder: Path | None) -> str:
    """Go through all of it. What was found."""
    with LoopbackIssuer().serving() as issuer:
        async with cluster() as processes:
            await asyncio.to_thread(load_log, processes, EVENTS)
            refuses = refusing(processes.home / "refusing")
            service = await start(processes, issuer, **refuses)
            async with pictures(service.url, folder) as camera:
                await camera.begin(token_of(issuer, "olga", *all_scopes()))
                trial = Trial(processes, service, issuer, camera)
                try:
                    async with trial.at_work():
                        await _go_through(trial)
                    return _queries(trial.prometheus)
                finally:
                    trial.prometheus.stop()
                    await trial.client.aclose()


async def _go_through(trial: Trial) -> None:
    await _databases(trial)
    await _parking(trial)
    await _pause(trial)
    await _processes(trial)
    await _rebuild(trial)
    await _clients(trial)


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
    async def begin() -> None:
        await trial.command("rebuild", "user_history", "--take-over", "on-request")
        await trial.until_seen(_ON_ITS_WAY)
        await trial.pictures.take("a rebuild is on its way")

    await trial.phase(
        "a rebuild waits for an operator",
        begin,
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
    flood = Flood(trial, 100, bearer(trial.issuer, "flooder", "users:list"))
    forgeries = Flood(trial, 25, {"Authorization": "Bearer forged.token.here"})

    async def forge() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(trial.service.port))
        writer.write(b"This is not HTTP.\r\n\r\n")
        await reader.read()
        writer.close()
        await forgeries.begin()

    await trial.phase("a client floods", flood.begin, flood.end, ["ClientsLimited"], ["Slow"])
    await trial.phase(
        "tokens are forged", forge, forgeries.end, ["TokensRefused"], ["ClientsLimited", "Slow"]
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


def main() -> None:
    """Do one of them, from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    trials = parser.add_subparsers(required=True)
    happening = trials.add_parser("alerts")
    happening.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="for pictures of the console at each moment, where there is a Chromium",
    )
    happening.set_defaults(test=lambda options: alerts(options.pictures))
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
