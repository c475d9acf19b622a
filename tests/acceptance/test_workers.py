"""Workers that share a socket, and a projector of its own, as real processes."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.acceptance.services import SECONDS, Service, await_that, run, running
from tests.acceptance.workers import (
    Load,
    children,
    held_by,
    one_caller_each,
    serves,
    workers,
)
from tests.unit.metrics.reading import Series, parsed, value

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are seen in /proc")

CLIENTS = 24

ANSWERED = "http_server_request_duration_seconds_count"


def metrics_of(service: Service) -> Mapping[Series, float]:
    """What one of its processes says of all."""
    with service.client as client:
        return parsed(client.get("/metrics").text)


def answered_more_than(number: float, service: Service) -> Mapping[Series, float]:
    """What they say once they count more answers: each tells the others every two seconds."""
    found: list[Mapping[Series, float]] = []

    def counted() -> bool:
        found.append(metrics_of(service))
        return value(found[-1], ANSWERED) > number

    await_that(counted, f"they never counted more than {number} answers")
    return found[-1]


@asynccontextmanager
async def load_on(service: Service) -> AsyncIterator[Load]:
    """Clients at work, until the block ends."""
    load = Load(service.url)
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(load.work(number))
        try:
            await done(load, 200)
            yield load
        finally:
            load.stopping = True


async def done(load: Load, more: int) -> None:
    """Return once so many more requests were answered."""
    due = load.done + more
    async with asyncio.timeout(SECONDS):
        while load.done < due:  # noqa: ASYNC110 - clients set no event
            await asyncio.sleep(0.01)


async def until(condition) -> None:
    """Wait until it holds, while clients go on."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_what_is_lost_when_a_worker_is_killed_and_at_a_stop(serve, urls):
    """Under load: at a kill only what the worker was answering, at a stop nothing."""
    service = serve(WORKERS="2")
    assert len(children(service)) == 3
    killed, other = workers(service)
    async with load_on(service) as load:
        before = await asyncio.to_thread(answered_more_than, 200, service)
        held = held_by(killed, service)
        assert held
        assert held_by(other, service)
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(set(workers(service)) - {killed, other}) == 1)
        [new] = set(workers(service)) - {other}
        # By new connections, as those of the load are kept.
        await asyncio.to_thread(await_that, lambda: serves(new, service), "it never served")
        await done(load, 200)
        after = await asyncio.to_thread(answered_more_than, value(before, ANSWERED), service)
        assert value(after, "diptych_up") == 3
        assert not load.refused
        assert set(load.broken) <= held
        assert len(load.broken) == len(set(load.broken))
        log = service.log.read_text()
        assert f"(process {killed}) was ended by SIGKILL. Another one is started now" in log
        load.broken.clear()
        load.reset = 0
        pids = children(service)
        service.process.terminate()
        assert await asyncio.to_thread(service.await_end) == 0
    assert load.refused == CLIENTS
    assert not load.wrong
    assert len(load.broken) == load.reset
    assert load.reset <= 1  # between the last look for one and the end of the socket
    assert not running(*pids)
    connection = await asyncpg.connect(urls["DATABASE_URL"])
    try:
        rows = await connection.fetch("SELECT DISTINCT stream_id FROM events")
    finally:
        await connection.close()
    stored = {row["stream_id"].removeprefix("user-") for row in rows}
    assert stored >= set(load.acknowledged)


def test_all_workers_say_the_same_until_all_of_them_stop(serve):
    """Of a write by its Consistency-Token, of the process, of projections and verifications.

    A terminal sends Ctrl-C to the whole group; they hear it from the supervisor alone, so that only
    the second one ends the delay.
    """
    service = serve(WORKERS="2", STOP_DELAY="60")
    pids = children(service)
    with one_caller_each(service) as (one, another):
        alice = {"id": "alice", "name": "Alice", "email": "alice@example.com"}
        assert one.call("POST", "/users", alice)[0] == 201
        for name in ("Alice Smith", "Alice Jones"):
            status, _, headers = one.call("PUT", "/users/alice", {"name": name})
            assert status == 200
            token = headers["Consistency-Token"]
            _, found, _ = another.call("GET", "/users/alice", Consistency_Token=token)
            assert found["name"] == name
        ready = [each.call("GET", "/health/ready") for each in (one, another)]
        assert [each[0] for each in ready] == [200, 200]
        assert ready[0][1] == ready[1][1]
        assert ready[0][1]["roles"] == ["commands", "projector", "queries"]
        verifications = "/admin/projections/user_profiles/verifications"
        status, begun, _ = one.call("POST", verifications, {})
        assert status == 202
        place = f"{verifications}/{begun['id']}"
        await_that(lambda: another.call("GET", place)[1].get("is_over"), "it is never over")
        assert another.call("GET", place)[:2] == one.call("GET", place)[:2]
        (holder,) = {each["holder"] for each in one.call("GET", "/projections")[1]["items"]}
        [projector] = set(pids) - set(workers(service))
        assert f":{projector}:" in holder
        service.interrupt()
        for each in (one, another):
            await_that(lambda each=each: each.call("GET", "/health/ready")[0] == 503, "still ready")
        assert running(*pids) == pids
        service.interrupt()
    assert service.await_end() == 0
    assert not running(*pids)


def test_none_outlives_a_supervisor_that_is_killed(serve):
    """They stop by themselves, without the delay of a stop, and the port is free again."""
    service = serve(WORKERS="2", STOP_DELAY="60")
    pids = children(service)
    service.process.kill()
    service.await_end()
    await_that(lambda: not running(*pids), "some are left")
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", int(service.port)))


def test_what_keeps_workers_from_starting_is_said_once(urls, folder):
    """In one line, and nothing is left."""
    given = {**urls, "WORKERS": "3", "DATABASE_URL": "postgresql://127.0.0.1:1/nothing"}
    ended = run("serve", cwd=folder, DATA_DIR=str(folder / "data"), **given)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("PostgreSQL")
    assert not ended.stdout


PATIENT = """
import functools
from app import bootstrap
options = functools.partial(bootstrap.ProjectorOptions, poll_seconds=3600.0)
bootstrap.ProjectorOptions = options
from app.__main__ import main
main()
"""
"""A service whose projector would find a write in an hour."""


def test_the_projector_learns_of_a_write_at_once(start, urls, tmp_path):
    """From each of the workers: a read with the token of a write waits for the projector."""
    program = tmp_path / "app"
    program.write_text(PATIENT)
    service = start((sys.executable, str(program), "serve", "--migrate"), **urls, WORKERS="2")
    service.await_serving()
    with one_caller_each(service) as callers:
        for number in range(20):
            user = {"id": f"ada-{number}", "name": "Ada", "email": f"ada.{number}@example.com"}
            caller = callers[number % 2]
            status, _, headers = caller.call("POST", "/users", user)
            assert status == 201
            token = headers["Consistency-Token"]
            found = caller.call("GET", f"/users/ada-{number}", Consistency_Token=token)
            assert found[0] == 200
