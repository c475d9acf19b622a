"""Embedded servers in a data directory: owning it, finding it as a crash left it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pymongo import MongoClient

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import CannotStart, DataDirInUse, embedded_servers, running_servers
from app.devtools.servers.accounts import Account, let_read
from app.devtools.servers.binaries import mongod_binary
from app.devtools.servers.processes import wait_until


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that does not exist yet, where every account can reach it."""
    folder = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any server."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate(b"\n")


def postgres_in(data_dir: Path):
    """A PostgreSQL alone."""
    return embedded_servers(data_dir, initiate, mongodb=False)


def mongod_in(data_dir: Path):
    """A mongod alone."""
    return embedded_servers(data_dir, initiate, postgres=False)


def listened_ports(pid: int) -> list[str]:
    """The TCP addresses that a process listens at, as the kernel writes them."""
    open_files = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            open_files.add(str(each.readlink()))
    tables = [Path("/proc/net", name).read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in open_files]


async def fetch(url: str | None, statement: str):
    """What a statement answers."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_postgresql_is_durable_private_and_speaks_utf8(data_dir):
    """It listens on no port, its directory is closed to others, and a commit is on disk."""
    with postgres_in(data_dir) as urls:
        assert await fetch(urls.postgres, "show listen_addresses") == ""
        assert await fetch(urls.postgres, "show fsync") == "on"
        assert await fetch(urls.postgres, "show synchronous_commit") == "on"
        assert await fetch(urls.postgres, "show server_encoding") == "UTF8"
        assert await fetch(urls.postgres, "select current_database()") == "diptych"
        assert (data_dir / "postgres").stat().st_mode & 0o077 == 0


async def test_postgresql_keeps_its_data(data_dir):
    """What was committed is there at the next start."""
    with postgres_in(data_dir) as urls:
        await fetch(urls.postgres, "create table kept as select 42 as answer")
    with postgres_in(data_dir) as urls:
        assert await fetch(urls.postgres, "select answer from kept") == 42


def test_mongod_is_a_primary_at_a_socket_that_only_its_account_reaches(data_dir):
    """It takes majority writes at once, listens on no port, and runs as root for nobody."""
    with mongod_in(data_dir) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 42})
        assert client.admin.command("hello")["setName"] == "diptych"
        assert client.address
        assert [*client.address] == [str(data_dir / "mongodb/mongod.sock"), None]
        assert (data_dir / "mongodb").stat().st_mode & 0o077 == 0
        pid = int((data_dir / "mongodb/data/mongod.lock").read_text())
        assert not listened_ports(pid)
        assert Path(f"/proc/{pid}").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_does_not_reach_the_embedded_mongod(data_dir):
    """Neither by the socket nor by what is in the data directory."""
    with mongod_in(data_dir) as urls:
        stranger = Account(12345, 12345)
        reach = ["test", "-e", data_dir / "mongodb/mongod.sock"]
        assert urls.mongodb
        assert subprocess.run(reach, check=False).returncode == 0
        assert subprocess.run(reach, **stranger.identity, check=False).returncode == 1


def test_servers_see_no_secret_of_the_environment(data_dir, monkeypatch):
    """They inherit where programs and temporary files are, and nothing else."""
    monkeypatch.setenv("SOME_TOKEN", "s3cret-of-ours")
    with embedded_servers(data_dir, initiate):
        for file in ("postgres/data/postmaster.pid", "mongodb/data/mongod.lock"):
            pid = (data_dir / file).read_text().split()[0]
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"s3cret-of-ours" not in environ
            assert b"PATH=" in environ


def test_a_mongod_on_a_port_is_replaced_by_one_at_a_socket(data_dir):
    """As an earlier release left it running, as root if need be; its data are kept."""
    home = data_dir / "mongodb"
    (home / "data").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(mongod_binary(), "--dbpath", home / "data", "--bind_ip", "127.0.0.1"),
        *("--port", str(port), "--replSet", "diptych", "--nounixsocket"),
    ]
    before = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    with MongoClient[Any](url, w="majority") as client:
        client.admin.command("replSetInitiate", {"_id": "diptych", "members": [member]})
        assert wait_until(lambda: client.admin.command("hello")["isWritablePrimary"], 30)
        client.kept.things.insert_one({"answer": 42})
    with mongod_in(data_dir) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        assert before.wait() == 0
        client.kept.things.insert_one({"answer": 43})
        assert client.kept.things.count_documents({}) == 2


def test_mongod_of_a_directory_that_was_moved_takes_writes(data_dir):
    """Its set knows it by another path, which it is told."""
    with mongod_in(data_dir) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 42})
    moved = data_dir.rename(data_dir.with_name("moved, twice"))
    with mongod_in(moved) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 43})
        assert client.kept.things.count_documents({}) == 2


def test_one_process_at_a_time_owns_a_data_directory(data_dir):
    """A second owner is told who the first is; the directory is free again afterwards."""
    with embedded_servers(data_dir, initiate, postgres=False, mongodb=False):
        with pytest.raises(DataDirInUse, match=f"{data_dir} is in use by process {os.getpid()}"):
            postgres_in(data_dir).__enter__()
        assert not (data_dir / "postgres").exists()
    with embedded_servers(data_dir, initiate, postgres=False, mongodb=False):
        pass


async def test_running_servers_are_found_by_others(data_dir):
    """Whoever does not own the directory can still connect to what runs there."""
    with embedded_servers(data_dir, initiate) as urls:
        assert running_servers(data_dir) == urls
    with pytest.raises(CannotStart, match="do not answer"):
        running_servers(data_dir)


async def test_postgresql_starts_after_a_crash_whose_pid_is_taken_by_now(data_dir, bystander):
    """A pid file that names a living process of another program does not keep it from starting."""
    with postgres_in(data_dir) as urls:
        await fetch(urls.postgres, "create table kept as select 42 as answer")
        pid_file = data_dir / "postgres/data/postmaster.pid"
        lines = pid_file.read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
    pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    (data_dir / "postgres/.s.PGSQL.5432.lock").write_text(f"{bystander.pid}\n")
    with postgres_in(data_dir) as urls:
        assert await fetch(urls.postgres, "select answer from kept") == 42
    assert bystander.poll() is None


def test_postgresql_of_a_directory_that_was_moved_is_not_doubled(data_dir):
    """Two servers on the same data would destroy them, so this asks for a person."""
    with postgres_in(data_dir):
        elsewhere = data_dir.with_name("moved")
        (elsewhere / "postgres").mkdir(parents=True)
        (elsewhere / "postgres/data").symlink_to(data_dir / "postgres/data")
        with pytest.raises(CannotStart, match="stop that process, else remove the file"):
            postgres_in(elsewhere).__enter__()


def test_mongod_starts_after_a_crash_whose_pid_is_taken_by_now(data_dir, bystander):
    """Likewise: what counts is who holds the lock, not whose pid is in it."""
    with mongod_in(data_dir) as urls:
        lock = data_dir / "mongodb/data/mongod.lock"
        with MongoClient[Any](urls.mongodb, w="majority", journal=True) as client:
            client.kept.things.insert_one({"answer": 42})
        os.kill(int(lock.read_text()), signal.SIGKILL)
    lock.write_text(f"{bystander.pid}\n")
    with mongod_in(data_dir) as urls, MongoClient[Any](urls.mongodb) as client:
        assert client.kept.things.count_documents({}) == 1
    assert bystander.poll() is None


def test_data_of_another_version_are_left_alone(data_dir):
    """PostgreSQL cannot read them; the message says which version could."""
    with postgres_in(data_dir):
        pass
    (data_dir / "postgres/data/PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="was written by PostgreSQL 9, and the one found is"):
        postgres_in(data_dir).__enter__()


def test_a_cluster_that_was_half_made_is_made_anew(data_dir):
    """A crash during the first start does not spoil the second."""
    half = data_dir / "postgres/data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("1")
    with postgres_in(data_dir) as urls:
        assert urls.postgres
    assert not half.exists()


def test_a_directory_that_cannot_be_written_is_named(data_dir):
    """One line, whatever the reason."""
    data_dir.write_text("a file, and no directory")
    with pytest.raises(CannotStart, match=f"^DATA_DIR: {data_dir} cannot be written: "):
        postgres_in(data_dir).__enter__()


def test_a_path_too_long_for_the_socket_of_mongod_will_do(data_dir):
    """As for PostgreSQL's."""
    deep = data_dir / ("x" * 60) / ("y" * 60)
    with mongod_in(deep) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 42})
        assert client.address
        folder = Path(client.address[0]).parent
        assert folder.stat().st_mode & 0o077 == 0
    shutil.rmtree(folder)


async def test_a_path_too_long_for_a_socket_will_do(data_dir):
    """The socket is then in a short directory, the same at every start."""
    deep = data_dir / ("x" * 60) / ("y" * 60)
    with postgres_in(deep) as urls:
        assert await fetch(urls.postgres, "select 1") == 1
        assert running_servers(deep, mongodb=False) == urls
    with postgres_in(deep) as again:
        assert again == urls
    shutil.rmtree(urls.postgres.partition("host=")[2].partition("&")[0])


async def test_root_lets_postgresql_through_and_no_more(data_dir):
    """PostgreSQL refuses root: the account it runs as may search the path, and read nothing."""
    closed = data_dir / "closed"
    closed.mkdir(parents=True, mode=0o700)
    with postgres_in(closed / "data") as urls:
        assert await fetch(urls.postgres, "select 1") == 1
        assert closed.stat().st_mode & 0o777 == (0o701 if os.geteuid() == 0 else 0o700)
        assert (closed / "data/postgres/data").stat().st_uid != 0


def test_what_was_installed_for_root_alone_is_let_read(tmp_path):
    """Under a umask of 077; programs stay programs, and nothing beside them is touched."""
    wheel, beside = tmp_path / "wheel", tmp_path / "beside"
    for each in (wheel, wheel / "lib"):
        each.mkdir(mode=0o700)
    for file, mode in ((wheel / "lib/a.so", 0o600), (wheel / "program", 0o711), (beside, 0o600)):
        file.touch()
        file.chmod(mode)
    (wheel / "link").symlink_to(beside)
    stranger = Account(os.geteuid() + 1, os.getegid() + 1)
    let_read(wheel, stranger)
    modes = {each.name: each.stat().st_mode & 0o777 for each in (*wheel.rglob("*"), wheel, beside)}
    assert modes.pop("link") == modes.pop("beside") == 0o600
    assert modes == {"wheel": 0o705, "lib": 0o705, "a.so": 0o604, "program": 0o715}
    # Read by all already, it is not looked through at each start.
    (wheel / "lib").chmod(0o700)
    let_read(wheel, stranger)
    assert (wheel / "lib").stat().st_mode & 0o777 == 0o700


OWNER = """
import os, signal, sys, time
from pathlib import Path
from app.devtools.servers import embedded_servers

with embedded_servers(Path(sys.argv[1]), None, postgres=False, mongodb=False):
    if not os.fork():
        print("forked", flush=True)
        time.sleep(60)
    signal.pause()
"""


def test_a_fork_of_its_owner_does_not_keep_the_directory(data_dir):
    """Workers may still answer while the next service starts."""
    command = [sys.executable, "-c", OWNER, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"forked\n"
        with pytest.raises(DataDirInUse), embedded_servers(data_dir, initiate, postgres=False):
            pass
        owner.kill()
        owner.wait()
        with embedded_servers(data_dir, initiate, postgres=False, mongodb=False):
            os.killpg(owner.pid, signal.SIGKILL)  # it was there all the time
