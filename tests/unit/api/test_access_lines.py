"""Which requests have a line in the access log, and what it has about them."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.bootstrap import policies_of
from app.framework.http import rate_limits
from app.framework.http.application import Access
from app.framework.http.buckets import Rate
from app.framework.observability.access_log import LOGGER, AccessLog
from app.framework.principal import Principal, PrincipalKind
from tests.unit.api.access import Known
from tests.unit.api.service import application

ALICE = {"id": "alice", "name": "Alice Liddell", "email": "alice@example.com"}


@pytest.fixture
def log() -> AccessLog:
    """The access log of an application; it is closed when what it has is asked for."""
    return AccessLog()


@pytest.fixture
def written(caplog) -> Callable[[], Sequence[dict[str, Any]]]:
    """Gives the lines that are written."""
    caplog.set_level(logging.INFO, LOGGER)
    return lambda: [
        json.loads(line)
        for each in caplog.records
        if each.name == LOGGER
        for line in each.getMessage().splitlines()
    ]


@pytest.fixture
def lines(log, written) -> Callable[[], Any]:
    """Gives the lines so far."""

    async def so_far() -> Sequence[dict[str, Any]]:
        await log.close()
        return written()

    return so_far


@pytest.fixture
async def client(service, log) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service without authentication."""
    transport = httpx.ASGITransport(application(service, access_log=log))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


async def test_each_request_has_a_line(client, lines):
    """With its operation, how it was answered, how fast, and its ids."""
    created = await client.post("/users", json=ALICE)
    refused = await client.put("/users/bob", json={"name": "Bob"}, headers={"X-Request-Id": "r2"})
    assert (created.status_code, refused.status_code) == (201, 404)
    first, second = await lines()
    assert first.pop("timestamp").endswith("Z")
    assert 0 < first.pop("duration") < 5
    assert first == {
        "logger": "app.access",
        "method": "POST",
        "operation": "register_user",
        "status": 201,
        "principal": "anyone",
        "request_id": created.headers["X-Request-Id"],
    }
    assert (second["operation"], second["problem"]) == ("put_user", "user-not-found")
    assert second["request_id"] == "r2"
    assert len(second["internal_request_id"]) == 36


async def test_nothing_that_a_client_sent_is_written_but_its_id(client, lines):
    """No path, no query, no method of its own, no part of a profile."""
    await client.post("/users", json=ALICE)
    await client.get("/users", params={"search": "alice@example.com", "alice": "x"})
    await client.get("/alice/alice@example.com")
    await client.request("ALICE", "/users/alice")
    found = await lines()
    assert [(each["method"], each.get("operation")) for each in found] == [
        ("POST", "register_user"),
        ("GET", "list_users"),
        ("GET", None),
        ("_OTHER", None),
    ]
    assert "alice" not in json.dumps(found).lower()


async def test_probes_are_counted(client, lines):
    """A line says how many there were of each kind."""
    for _ in range(3):
        await client.get("/health/live")
    await client.head("/health/ready")
    found = await lines()
    assert [(each["operation"], each["status"], each["count"]) for each in found] == [
        ("check_liveness", 200, 3),
        ("check_readiness", 200, 1),
    ]
    assert "request_id" not in found[0]


async def test_a_flood_is_counted(service, log, lines, monkeypatch):
    """What a rate limit refuses has no line for each request."""
    monkeypatch.setattr(rate_limits, "REFUSAL_SECONDS", 0.001)
    known = Known()
    alice = Principal(kind=PrincipalKind.CLIENT, subject="alice", scopes=frozenset({"users:list"}))
    access = Access(authenticator=known, policies=policies_of(), rate=Rate(a_minute=1, burst=20))
    api = application(service, access=access, access_log=log)
    headers = {"Authorization": f"Bearer {known.token(alice)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://diptych", headers=headers
    ) as client:
        for _ in range(24):
            await client.get("/users")
        await client.get("/users", headers={"Authorization": "Bearer unknown"})
    found = await lines()
    assert [each["status"] for each in found] == [200] * 4 + [401, 429]
    assert [each["principal"] for each in found] == ["client"] * 4 + ["anyone", "client"]
    assert found[-1]["count"] == 20


async def test_the_end_of_the_application_writes_what_is_left(service, log, written):
    """Its last requests have their lines."""
    api: FastAPI = application(service, access_log=log)
    transport = httpx.ASGITransport(api)
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://diptych") as client,
    ):
        await client.get("/users")
        assert written() == []
    assert [each["operation"] for each in written()] == ["list_users"]
