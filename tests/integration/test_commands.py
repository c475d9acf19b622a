"""The commands that look at databases, on real servers."""

import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.cli import main
from app.contexts.users.projections import USER_HISTORY, USER_PROFILES, USER_SUMMARIES
from app.devtools.servers.processes import wait_until
from app.host.server.listening import base_url, bind
from tests.integration.conftest import ALICE, lines_of


@pytest.mark.usefixtures("users")
def test_the_projections_are_listed_as_they_are_stored(capsys):
    """A line for each build: its number and version, what it is for, its position, its lag."""
    assert main(["projections"]) == 0
    headings, *rows = lines_of(capsys)
    assert headings.split()[:7] == ["NAME", "BUILD", "VERSION", "IS", "POSITION", "LAG", "PARKED"]
    listed = {name: numbers for name, *numbers in (each.split() for each in rows)}
    expected = ["1", str(USER_PROFILES.version), "serving", "2", "0"]
    assert listed[USER_PROFILES.name][:5] == expected
    assert {USER_HISTORY.name, USER_SUMMARIES.name} <= listed.keys()


@pytest.fixture
def _process_as_it_was() -> Iterator[None]:
    """Take back what `serve` sets for the whole process."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(each) for each in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.usefixtures("environment", "_process_as_it_was")
def test_the_service_serves_until_a_signal_stops_it(capsys):
    """It answers once it says so, is ready, and ends with 0: the stop was asked for."""
    with bind("127.0.0.1", 0) as bound:
        url = base_url(bound)
    seen: list[int] = []

    def visit() -> None:
        assert wait_until(lambda: accepts(url), 20)
        with httpx.Client(base_url=url) as client:
            seen.append(client.post("/users", json=ALICE).status_code)
            seen.append(client.get("/health/ready").status_code)
        os.kill(os.getpid(), signal.SIGTERM)

    with ThreadPoolExecutor(1) as visitor:
        visited = visitor.submit(visit)
        assert main(["serve", "--port", url.rpartition(":")[2]]) == 0
        visited.result()
    assert seen == [201, 200]
    assert lines_of(capsys) == [f"Diptych serves at {url}, Swagger UI is at {url}/docs"]


def accepts(url: str) -> bool:
    """Whether something listens at this address."""
    try:
        httpx.get(f"{url}/health/live")
    except httpx.ConnectError:
        return False
    return True


def test_a_schema_is_migrated_once(capsys, monkeypatch, unmigrated_postgres_url):
    """To do it again does no harm; PostgreSQL is all it takes."""
    monkeypatch.setenv("DATABASE_URL", unmigrated_postgres_url)
    for _ in range(2):
        assert main(["migrate"]) == 0
        assert lines_of(capsys) == ["The schema is up to date."]


def test_what_needs_a_schema_says_so_before_it_is_migrated(
    capsys, monkeypatch, mongodb_url, mongodb_database, unmigrated_postgres_url
):
    """In one line, with the command that makes it."""
    monkeypatch.setenv("DATABASE_URL", unmigrated_postgres_url)
    monkeypatch.setenv("MONGODB_URL", mongodb_url)
    monkeypatch.setenv("MONGODB_DATABASE", mongodb_database)
    assert main(["projections", "verify"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "migrate" in line


@pytest.mark.usefixtures("users")
def test_a_log_is_moved_to_another_database(capsys, monkeypatch, tmp_path, unmigrated_postgres_url):
    """The read model goes on with it: to the last document it is what the moved log says."""
    file = str(tmp_path / "log.jsonl")
    assert main(["export", file]) == 0
    monkeypatch.setenv("DATABASE_URL", unmigrated_postgres_url)
    assert main(["migrate"]) == 0
    capsys.readouterr()
    for done in ("is imported", "was imported before"):
        assert main(["import", file]) == 0
        [line] = lines_of(capsys)
        assert f"{done}, up to position 2." in line
    assert main(["projections", "verify"]) == 0
