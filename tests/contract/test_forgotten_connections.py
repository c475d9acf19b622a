"""Idle connections that were forgotten on the way: by a NAT, a balancer, a firewall."""

import asyncio
import contextlib
import gc
import shutil
import socket
import tempfile
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.adapters.mongo import MongoReadModel
from app.adapters.mongo import client as mongo_client
from app.adapters.postgres import PostgresEventStore, connection
from app.adapters.postgres.sessions import Sessions
from app.devtools.servers import processes
from app.devtools.servers.accounts import account_for
from app.devtools.servers.binaries import postgres_binaries
from app.devtools.servers.postgres import Postgres
from app.framework.projections import PageRequest, Versioned
from tests.contract.noted import REGISTRY, note
from tests.following import prepare
from tests.notes import BEGIN, NOTES
from tests.relays import Relay

SOON_SECONDS = 2.5
"""What waits for an answer on a forgotten connection takes longer."""
PAGE = PageRequest(equals={}, sort="written_at", limit=10)
NOTE = Versioned({"shelf": "a", "texts": ["x"], "written_at": BEGIN}, 1)


@contextlib.contextmanager
def in_seconds(seconds: float):
    """What is done in the `with` block takes less than that."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


async def test_the_first_write_after_an_idle_spell_succeeds(postgres_url, monkeypatch):
    """So do the first load and read: a connection that was idle for long is checked before use."""
    monkeypatch.setattr(connection, "TRUSTED_SECONDS", 0.0)
    relay = Relay(postgres_url)
    async with relay.listening():
        database = urlsplit(postgres_url).path
        store = PostgresEventStore(f"postgresql://postgres@{relay.address}{database}", REGISTRY)
        await store.append(note("note-1", 0, "a"))
        await asyncio.gather(store.load("note-1"), store.head())
        relay.forget()
        with in_seconds(SOON_SECONDS):
            appended, _, _ = await asyncio.gather(
                store.append(note("note-1", 1, "b")), store.load("note-1"), store.head()
            )
        await store.close()
    assert appended.position == 2


async def test_a_connection_in_use_is_not_checked(postgres_url, monkeypatch):
    """No statement has a second round trip: the one that checks comes after an idle spell only."""
    checks: list[object] = []
    store = PostgresEventStore(postgres_url, REGISTRY)
    monkeypatch.setattr(connection, "_answers", checks.append)
    for version in range(10):
        await store.append(note("note-1", version, "a"))
    await store.close()
    assert checks == []


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_the_first_query_after_an_idle_spell_succeeds(
    mongodb_url, mongodb_database, monkeypatch, driver
):
    """Of a document or a page: the driver knows for how long a connection may be idle."""
    for options in (mongo_client._OPTIONS, mongo_client._INTERRUPTIBLE_OPTIONS):
        assert options["maxIdleTimeMS"] == mongo_client.TRUSTED_SECONDS * 1000
        monkeypatch.setitem(options, "maxIdleTimeMS", 1)
    relay = Relay(mongodb_url)
    async with relay.listening():
        url = f"mongodb://{relay.address}/?directConnection=true"
        read_model = MongoReadModel(url, mongodb_database, driver)
        await prepare(read_model, NOTES)
        await read_model.write(NOTES.id, {"n": NOTE})
        assert await read_model.get("notes", "n")
        assert await read_model.page("notes", PAGE)
        relay.forget()
        await asyncio.sleep(0.01)  # the idle spell
        with in_seconds(SOON_SECONDS):
            assert await read_model.get("notes", "n")
            assert await read_model.page("notes", PAGE)
        await read_model.close()
        # PyMongo leaves sockets of its monitors to the garbage collector (PYTHON-5867).
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()


@pytest.fixture
def tcp_server():
    """A PostgreSQL that listens on a port of loopback; its URL."""
    # Not in pytest's folder, which each run of pytest closes to the account that the server has.
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    cluster = Postgres(home)
    cluster.start()
    cluster.stop()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(home),
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    command: list[str | Path] = [postgres_binaries().postgres, "-D", home / "data", *options]
    account = account_for("PostgreSQL", home / "data")
    process = processes.spawn("PostgreSQL", command, home / "tcp.log", account)
    status = home / "data" / "postmaster.pid"
    cluster._process = process
    try:
        process.await_ready(lambda: status.exists() and "ready" in status.read_text(), 30)
        yield f"postgresql://postgres@127.0.0.1:{port}/diptych"
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


async def test_idle_connections_are_kept_alive(tcp_server):
    """PostgreSQL probes them before what stands between forgets them, and ends those it lost."""
    idle = connection.Connection(Sessions(tcp_server))
    shown = [
        (await idle.fetch(f"show tcp_keepalives_{name}"))[0][0]
        for name in ("idle", "interval", "count")
    ]
    await idle.close()
    assert shown == ["30", "10", "3"]
