"""Too few file descriptors, and a stop that takes its time, on processes of their own."""

import contextlib
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.services import UNMEASURED, Service, await_that


@pytest.fixture
def start_queries(folder: Path, mongodb_url, mongodb_database) -> Iterator[Callable[..., Service]]:
    """Starts processes that need a MongoDB only, with another `ulimit -n` if that is given."""
    started = []

    def start(descriptors: str = "4096", **settings: str) -> Service:
        command = f"ulimit -n {descriptors}; exec {sys.executable} -m app serve"
        service = Service(
            folder / "data",
            ("bash", "-c", command),
            None,
            ROLES="queries",
            MONGODB_URL=mongodb_url,
            MONGODB_DATABASE=mongodb_database,
            **UNMEASURED,
            **settings,
        )
        started.append(service)
        return service.await_serving()

    yield start
    for each in started:
        each.clean_up()


def status(url: str, path: str) -> int:
    """What a new connection is answered."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def test_idle_connections_do_not_use_up_the_file_descriptors(start_queries):
    """With 150 of them and 200 who say nothing, all others are served, and it is logged once."""
    service = start_queries("150")
    address = urlsplit(service.url)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            idle = socket.create_connection((address.hostname, address.port), 10)
            stack.enter_context(contextlib.closing(idle))
        for _ in range(20):
            assert status(service.url, "/health/live") == 200
            assert status(service.url, "/health/ready") == 200
            assert status(service.url, "/users") == 200
    log = service.log.read_text()
    assert log.count("ulimit -n") == 2, log  # how many there may be, and that there are
    assert log.count("idle for longest") == 1, log
    assert service.stop() == 0


def test_the_limit_of_file_descriptors_is_raised_as_far_as_it_may_be(start_queries):
    """Soft limits are low for old programs' sake."""
    service = start_queries("-S 150")
    limits = Path(f"/proc/{service.process.pid}/limits")
    if not limits.exists():
        print("There is no /proc here to see the limit in.")  # noqa: T201 - a word
        return
    [line] = [each for each in limits.read_text().splitlines() if each.startswith("Max open")]
    soft, hard = line.split()[3:5]
    assert soft == str(min(int(hard), 65_536))


@pytest.mark.parametrize("hurry", [False, True])
def test_a_stop_can_be_delayed_for_balancers_to_notice(start_queries, hurry):
    """Not ready at once, requests are served all the same; a second signal ends the wait."""
    service = start_queries(STOP_DELAY="60" if hurry else "2")
    with service.client as client:
        assert client.get("/health/ready").status_code == 200
        began = time.monotonic()
        os.kill(service.process.pid, signal.SIGTERM)
        await_that(lambda: client.get("/health/ready").status_code == 503, "it stayed ready")
        assert client.get("/health/ready").json()["checks"][-1]["name"] == "stopping"
        assert client.get("/users").status_code == 200
        assert status(service.url, "/users") == 200
        assert status(service.url, "/health/live") == 200
        if hurry:
            os.kill(service.process.pid, signal.SIGTERM)
    assert service.await_end() == 0
    took = time.monotonic() - began
    assert took < 30 if hurry else took >= 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.url}/health/live", trust_env=False)
