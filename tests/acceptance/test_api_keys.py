"""API keys and real processes: one with both databases, one with MongoDB alone."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from app.cli import main
from app.framework.http.event_streams import CHECK_SECONDS
from tests.acceptance.services import await_that

SCOPES = "users:admin users:read:any projections:read changes:read"

PROMISED_SECONDS = 5.0

OUTAGE_SECONDS = 6.0
"""Longer than a list of keys counts."""


@pytest.fixture
def keys(urls, monkeypatch, capsys) -> Callable[..., str]:
    """Carries a command of keys out, in this process; returns what it prints."""
    for name, value in {**urls, "LOG_LEVEL": "warning"}.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> str:
        status = main(["keys", *arguments])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return printed.out

    return command


@pytest.fixture
def administer(servers) -> Callable[..., Any]:
    """Carries a statement out, in the database from which others are administered."""

    async def execute(statement: str, *arguments: Any) -> Any:
        connection = await asyncpg.connect(servers.postgres)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    return lambda *given: asyncio.run(execute(*given))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client of any process."""
    with httpx.Client(trust_env=False) as opened:
        yield opened


def test_a_key_is_used_and_revoked(start, urls, keys, administer, client):
    """In both processes, PostgreSQL being down for a while; streams end, and no log has the key."""
    roles = ("commands,projector", "queries")
    started = [start(first=True, ROLES=each, AUTH="keys", **urls) for each in roles]
    writer, reader = (each.await_serving() for each in started)
    both = (f"{writer.url}/projections", f"{reader.url}/users/alice")
    key = keys("create", "--name", "the shop", "--scope", SCOPES).strip()

    def statuses() -> list[int]:
        return [client.get(each).status_code for each in both]

    assert statuses() == [401, 401]
    client.headers["Authorization"] = f"Bearer {key}"
    await_that(lambda: statuses()[0] == 200, "the key is not accepted")
    body = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
    assert client.post(f"{writer.url}/users", json=body).status_code == 201
    await_that(lambda: statuses() == [200, 200], "alice is not shown")

    def last_used() -> object:
        [item] = json.loads(keys("list", "--json"))["items"]
        return item["last_used_at"]

    await_that(last_used, "its use is not recorded")

    database = urlsplit(urls["DATABASE_URL"]).path.removeprefix("/")
    administer(f'alter database "{database}" allow_connections false')
    administer(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", database
    )
    administer(f'alter database "{database}" rename to "{database}_gone"')
    until = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < until:
        assert statuses() == [200, 200]
        time.sleep(0.05)
    administer(f'alter database "{database}_gone" rename to "{database}"')
    administer(f'alter database "{database}" allow_connections true')

    key_id = key.split("_")[1]
    with client.stream("GET", f"{reader.url}/changes") as stream:
        assert stream.status_code == 200
        keys("revoke", key_id)
        revoked_at = time.monotonic()
        await_that(lambda: statuses() == [401, 401], "it is not revoked")
        assert time.monotonic() - revoked_at < PROMISED_SECONDS
        for _ in stream.iter_bytes():
            assert time.monotonic() - revoked_at < PROMISED_SECONDS + CHECK_SECONDS
    detail = client.get(both[1]).json()["detail"]
    assert detail == "The token is not accepted. It was revoked."
    for each in (writer, reader):
        each.stop()
        assert key.split("_")[2] not in each.log.read_text()
