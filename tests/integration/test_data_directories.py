"""Data directories of embedded servers: their one owner, and how a crash or a release left them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import CannotStart, DataDirInUse, embedded_servers
from app.devtools.servers.binaries import mongod_binary
from app.devtools.servers.processes import wait_until
from tests.integration.devservers import fetch, mongod_in, postgres_in


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any server."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate(b"\n")


def test_one_process_at_a_time_owns_a_data_directory(data_dir):
    """A second owner is told who the first is; the directory is free again afterwards."""
    with embedded_servers(data_dir, initiate, postgres=False, mongodb=False):
        with pytest.raises(DataDirInUse, match=f"{data_dir} is in use by process {os.getpid()}"):
            postgres_in(data_dir).__enter__()
        assert not (data_dir / "postgres").exists()
    with embedded_servers(data_dir, initiate, postgres=False, mongodb=False):
        pass


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


def test_mongod_of_a_directory_that_was_moved_takes_writes(data_dir):
    """Its set knows it by another path, which it is told."""
    with mongod_in(data_dir) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 42})
    moved = data_dir.rename(data_dir.with_name("moved, twice"))
    with mongod_in(moved) as urls, MongoClient[Any](urls.mongodb, w="majority") as client:
        client.kept.things.insert_one({"answer": 43})
        assert client.kept.things.count_documents({}) == 2


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
