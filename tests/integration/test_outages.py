"""The service under load while PostgreSQL or MongoDB is stopped or frozen, and comes back."""

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from app.adapters.mongo.replica_set import initiate
from app.adapters.postgres import PostgresEventStore, migrate
from app.bootstrap import all_projections, event_registry
from app.devtools.servers.mongod import Mongod
from app.devtools.servers.postgres import Postgres
from app.host.settings import Settings
from tests.acceptance.services import await_that
from tests.integration.auditing import differences
from tests.integration.conftest import caught_up, serving, shown
from tests.integration.load import ACCEPTED, READERS, READS, UNAVAILABLE, WRITES, Answer, Load

pytestmark = pytest.mark.unmeasured  # which would slow down what has to be answered in time

PROMISED_SECONDS = 5.0
RECOVERY_SECONDS = 10.0
USUAL_SECONDS = 1.0
EVERY_CALL = (*WRITES, *READS)


class Server:
    """A database server to be ill-treated."""

    def __init__(self, server: Postgres | Mongod) -> None:
        self._server = server
        self._frozen: list[int] = []

    @property
    def url(self) -> str:
        """How to connect to it; it must be running."""
        assert self._server.url
        return self._server.url

    def start(self) -> None:
        """Start it, at the same address as before."""
        self._server.start()

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._server.stop()

    def freeze(self) -> None:
        """Stop its processes in their tracks: it accepts connections, and says nothing."""
        assert self._server._process
        first = self._server._process.pid
        self._freeze(first)
        # It starts no more of them now.
        for each in _children(first):
            self._freeze(each)

    def thaw(self) -> None:
        """Let it go on as though nothing had happened."""
        while self._frozen:
            os.kill(self._frozen.pop(), signal.SIGCONT)

    def _freeze(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self._frozen.append(pid)
        # The signal is on its way: under load a thread may answer once more before it stops.
        await_that(lambda: set(_ps("-L", "-o", "state=", "-p", f"{pid}")) == {"T"}, "not frozen")


def _children(parent: int) -> list[int]:
    pairs = (map(int, line.split()) for line in _ps("-A", "-o", "pid=,ppid="))
    return [pid for pid, ppid in pairs if ppid == parent]


def _ps(*options: str) -> list[str]:
    listing = subprocess.run(["ps", *options], capture_output=True, text=True, check=True)
    return listing.stdout.split("\n")[:-1]


@dataclass(frozen=True, slots=True)
class Outage:
    """A way in which a server can be away.

    check: the server, as the readiness check names it.
    needing: the calls that cannot be answered without it.
    begin, end: make it so, and end it.
    """

    check: str
    needing: Sequence[str]
    begin: Callable[[Server], None]
    end: Callable[[Server], None]

    @contextlib.asynccontextmanager
    async def of(self, server: Server) -> AsyncIterator[None]:
        """The outage, for the length of a `with` block."""
        try:
            await asyncio.to_thread(self.begin, server)
            yield
        finally:
            await asyncio.to_thread(self.end, server)


OUTAGES = [
    pytest.param(Outage("postgresql", WRITES, Server.stop, Server.start), id="PostgreSQL stopped"),
    pytest.param(Outage("postgresql", WRITES, Server.freeze, Server.thaw), id="PostgreSQL frozen"),
    pytest.param(Outage("mongodb", (*READS,), Server.stop, Server.start), id="MongoDB stopped"),
    pytest.param(Outage("mongodb", (*READS,), Server.freeze, Server.thaw), id="MongoDB frozen"),
]


@pytest.fixture(scope="module")
def own_servers() -> Iterator[dict[str, Server]]:
    """Servers of these tests' own, by the names of their checks."""
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    postgres, mongod = Postgres(home / "postgres"), Mongod(home / "mongodb", initiate)
    try:
        postgres.start()
        mongod.start()
        yield {"postgresql": Server(postgres), "mongodb": Server(mongod)}
    finally:
        postgres.stop()
        mongod.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def settings(own_servers) -> Settings:
    """Settings for all roles, on databases of the test's own."""
    name = f"test_{uuid4().hex}"
    postgres, mongod = own_servers["postgresql"].url, own_servers["mongodb"].url
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    database_url = urlsplit(postgres)._replace(path=f"/{name}").geturl()
    await asyncio.to_thread(migrate, database_url)
    return Settings.load(
        database_url=database_url,
        mongodb_url=mongod,
        mongodb_database=name,
        auth="none",
        rate_limit=None,
    )


@pytest.fixture
async def client(settings, caplog) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process with all roles, which does not log each of thousands of refusals."""
    caplog.set_level(logging.ERROR)
    async with serving(settings) as client:
        yield client
    # PyMongo leaves it to the garbage collector to close the socket on which it was just
    # connecting to watch the server (PYTHON-5867 in its tracker).
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
async def log(settings) -> AsyncIterator[PostgresEventStore]:
    """The log, read apart from the service."""
    store = PostgresEventStore(settings.database_url, event_registry())
    yield store
    await store.close()


@pytest.mark.parametrize("outage", OUTAGES)
async def test_an_outage_under_load(client, own_servers, settings, log, outage):
    """Whoever needs the server is told within 5 s, all others are served; then all is as before."""
    load = Load(client)
    others = [each for each in EVERY_CALL if each not in outage.needing]
    async with load.running():
        await load.answered(ACCEPTED, EVERY_CALL, times=200)
        load.phase = "beginning"
        async with outage.of(own_servers[outage.check]):
            load.phase = "away"
            await _assert_it_is_said(client, outage)
            await load.answered(UNAVAILABLE, outage.needing, times=READERS)
            await load.answered(ACCEPTED, others, times=200)
            load.phase = "ending"
        load.phase, ended = "back", time.monotonic()
        await load.answered(ACCEPTED, EVERY_CALL, times=64)
        taken = time.monotonic() - ended
        load.phase = "recovered"
        await load.answered(ACCEPTED, EVERY_CALL, times=200)

    _assert_well_answered(load.answers, outage.needing)
    assert taken < RECOVERY_SECONDS
    await caught_up(client, await log.head())
    await shown(client, "/health/ready", lambda it: it.status_code == 200)
    await _assert_nothing_lost(log, load.answers)
    assert await differences(log, settings) == []


async def _assert_it_is_said(client: httpx.AsyncClient, outage: Outage) -> None:
    """The process lives, says which server it lacks, and how far projections were; soon."""
    paths = ("/health/live", "/health/ready", "/projections")
    began = time.monotonic()
    live, ready, projections = await asyncio.gather(*map(client.get, paths))
    assert time.monotonic() - began < PROMISED_SECONDS
    assert (live.status_code, ready.status_code, projections.status_code) == (200, 503, 200)
    checks = {each["name"]: each["ok"] for each in ready.json()["checks"]}
    for each in ("projector", "writes", "views"):  # which may be about to notice
        del checks[each]
    assert checks == {each: each != outage.check for each in ("postgresql", "mongodb")}
    assert len(projections.json()["items"]) == len(all_projections())


def _assert_well_answered(answers: Sequence[Answer], needing: Sequence[str]) -> None:
    """In time, and refused only what must be and only as long as it must be."""
    assert {each.outcome for each in answers} == {ACCEPTED, UNAVAILABLE}
    assert max(each.seconds for each in answers) < PROMISED_SECONDS
    refused = [each for each in answers if each.outcome == UNAVAILABLE]
    assert [each for each in refused if each.call not in needing] == []
    assert "before" not in {each.answered_in for each in refused}
    assert "recovered" not in {each.sent_in for each in refused}
    away = [each for each in answers if each.sent_in == each.answered_in == "away"]
    assert {each.outcome for each in away if each.call in needing} == {UNAVAILABLE}
    served = [each.seconds for each in away if each.call not in needing]
    assert statistics.median(served) < USUAL_SECONDS


async def _assert_nothing_lost(log: PostgresEventStore, answers: Sequence[Answer]) -> None:
    """What was acknowledged is in the log once, and nothing is there twice."""
    recorded: Counter[str | None] = Counter()
    position = 0
    while events := await log.read(after=position, limit=1000):
        recorded.update(getattr(each.event, "bio", None) for each in events)
        position = events[-1].position
    acknowledged = {each.text for each in answers if each.text and each.outcome == ACCEPTED}
    del recorded[None]
    assert set(recorded.values()) == {1}
    assert acknowledged <= recorded.keys()
