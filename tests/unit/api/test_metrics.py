"""Requests and messages are measured, whatever clients send."""

import random
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.framework.http.buckets import Rate
from app.main import NO_AUTHENTICATION
from tests.contexts.identity import authorization
from tests.unit.api.service import application
from tests.unit.metrics.reading import Since, parsed, value

REQUESTS = "http_server_request_duration_seconds_count"
MESSAGES = "diptych_messages_total"


@pytest.fixture
def since() -> Since:
    """By how much metrics have grown since the test began."""
    return Since()


async def test_requests_are_counted_by_operation_and_status(client, alice, since):
    """With the route and the method that OpenTelemetry has for it."""
    await client.get(f"/users/{alice}")
    await client.get("/users/unknown")
    await client.head(f"/users/{alice}")

    of_reads = {"operation": "get_user", "http_request_method": "GET"}
    assert since(REQUESTS, **of_reads, http_response_status_code="200") == 2
    assert since(REQUESTS, **of_reads, http_response_status_code="404") == 1
    assert since(REQUESTS, http_route="/users/{user_id}") == 3
    assert since("diptych_problems_total", code="user-not-found") == 1
    assert since("http_server_request_duration_seconds_sum", **of_reads) > 0


async def test_messages_are_counted_by_type_and_outcome(client, alice, since):
    """Also those that end with an error."""
    await client.get(f"/users/{alice}")
    await client.get("/users/unknown")
    await client.put(f"/users/{alice}", json={"name": "Alice Wonderland"})

    assert since(MESSAGES, message="GetUserProfile", outcome="ok") == 1
    assert since(MESSAGES, message="GetUserProfile", outcome="UserNotFound") == 1
    assert since(MESSAGES, message="UpdateUserProfile", outcome="ok") == 1
    assert since("diptych_message_duration_seconds_count", message="GetUserProfile") == 2


async def test_messages_that_are_refused_are_counted(guarded, since):
    """Measuring is around the policies."""
    await guarded.get("/users/user123", headers=authorization("alice", "users:register"))

    assert since(MESSAGES, message="GetUserProfile", outcome="Forbidden") == 1


async def test_tokens_are_counted_by_what_became_of_them(guarded, since):
    """Probes of health have none, and need none."""
    await guarded.get("/users/user123")
    await guarded.get("/users/user123", headers={"Authorization": "Bearer forged"})
    await guarded.get("/users/user123", headers=authorization("alice", "users:read"))
    await guarded.get("/health/live")

    outcomes = ("missing", "invalid", "accepted", "unavailable", "throttled")
    assert [since("diptych_tokens_total", outcome=each) for each in outcomes] == [1, 1, 1, 0, 0]
    assert since("diptych_token_verifications_total") == 2


async def test_what_rate_limits_refuse_is_counted(service, since):
    """By the kind of its client."""
    access = replace(NO_AUTHENTICATION, rate=Rate(a_minute=1, burst=10))
    transport = httpx.ASGITransport(application(service, access=access))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        answers = [await client.get("/users/user123") for _ in range(11)]

    assert answers[-1].status_code == 429
    assert since("diptych_rate_limit_refusals_total", client="address") == 1


async def test_requests_under_way_are_counted(client, since):
    """Reading the metrics is one; afterwards it is not any more."""
    found = parsed((await client.get("/metrics")).text)

    assert value(found, "http_server_active_requests") == 1
    assert since("http_server_active_requests") == 0


async def test_the_metrics_have_what_is_stored(client):
    """Of each build how far it is, and what keeps it."""
    found = parsed((await client.get("/metrics")).text)

    build = {"projection": "user_profiles", "build": "3"}
    assert value(found, "diptych_build_position", **build) == 4
    assert value(found, "diptych_build_lag_events", **build) == 2
    assert value(found, "diptych_log_position") == 6
    assert value(found, "diptych_build_activity", **build, activity="retrying") == 1
    assert value(found, "diptych_build_activity", **build) == 1
    assert value(found, "diptych_build_state", **build, state="serving") == 1


async def test_the_metrics_take_a_scope(guarded):
    """They say how much a service is used, which is not for all."""
    assert (await guarded.get("/metrics")).status_code == 401
    assert (
        await guarded.get("/metrics", headers=authorization("alice", "users:read"))
    ).status_code == 403
    answer = await guarded.get("/metrics", headers=authorization("alice", "metrics:read"))
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_metrics_are_not_in_the_document(document):
    """They are for one client, which knows them."""
    assert "/metrics" not in document["paths"]


async def test_what_clients_send_makes_no_series(client, alice):
    """The number of series after hundreds of random requests is what it was after a hundred."""
    chance = random.Random(1)
    requests = strange_requests(chance, alice)
    for _ in range(100):
        await client.request(**next(requests))
    await client.get("/metrics")  # a series of its own, once it is answered
    before = set(parsed((await client.get("/metrics")).text))
    for _ in range(600):
        await client.request(**next(requests))

    after = set(parsed((await client.get("/metrics")).text))
    assert [*after - before, *before - after] == []


def strange_requests(chance: random.Random, known: str) -> Iterator[dict[str, Any]]:
    """Requests with random paths, methods and ids, a kind after the other."""

    def word() -> str:
        return "".join(chance.choices(string.ascii_letters + string.digits, k=12))

    while True:
        yield {"method": "GET", "url": f"/{word()}"}
        yield {"method": word().upper(), "url": f"/users/{known}"}
        yield {"method": word().upper(), "url": f"/{word()}/{word()}"}
        yield {"method": "GET", "url": f"/users/{word()}"}
        yield {"method": "PUT", "url": f"/users/{word()}", "json": {"name": word()}}
        yield {"method": "GET", "url": "/users", "params": {word(): word(), "search": word()}}
        yield {"method": "DELETE", "url": f"/users/{word()}"}
        yield {"method": "GET", "url": f"/admin/projections/{word()}"}
        yield {"method": "GET", "url": f"/problems/{word()}"}
        yield {"method": "GET", "url": f"/users/{known}", "headers": {"X-Request-Id": word()}}
