"""Embedded servers: durable, and within reach of their own account alone, at any path."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import CannotStart, embedded_servers, running_servers
from app.devtools.servers.accounts import Account, let_read
from tests.integration.devservers import fetch, mongod_in, postgres_in


def listened_ports(pid: int) -> list[str]:
    """The TCP addresses that a process listens at, as the kernel writes them."""
    open_files = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            open_files.add(str(each.readlink()))
    tables = [Path("/proc/net", name).read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in open_files]


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


async def test_running_servers_are_found_by_others(data_dir):
    """Whoever does not own the directory can still connect to what runs there."""
    with embedded_servers(data_dir, initiate) as urls:
        assert running_servers(data_dir) == urls
    with pytest.raises(CannotStart, match="do not answer"):
        running_servers(data_dir)


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
