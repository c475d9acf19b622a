"""Repeating requests under an Idempotency-Key, over HTTP."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.host.settings import Role
from tests.integration.conftest import serving

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}
KEY = {"Idempotency-Key": "8f1d7c52-0c1e"}
WRITES = [
    ("POST", "/users", {"name": "Bob", "email": "bob@example.com"}),
    ("PATCH", "/users/user123", {"bio": "Hi"}),
    ("PUT", "/users/user123", {"name": "Alice Wonderland"}),
    ("PUT", "/users/user123", {"name": "Alice Smith"}),
    ("POST", "/users/user123/deactivate", None),
    ("POST", "/users/user123/reactivate", None),
]


def answer_of(response) -> tuple[Any, ...]:
    """What a repeat must have the same: status, body, and the headers that matter."""
    names = ("Location", "ETag", "Consistency-Token", "Content-Type")
    return response.status_code, response.json(), [response.headers.get(name) for name in names]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_repeat_is_answered_as_the_first(client, settings, log, method, path, body):
    """By any process, also after other writes, and nothing is recorded."""
    await client.post("/users", json=ALICE)
    first = await client.request(method, path, json=body, headers=KEY)
    assert first.is_success
    assert "Idempotency-Replayed" not in first.headers
    await client.post("/users/user123/deactivate")
    await client.post("/users/user123/reactivate")
    head = await log.head()
    async with serving(settings) as other:
        for each in (client, other, other):
            again = await each.request(method, path, json=body, headers=KEY)
            assert answer_of(again) == answer_of(first)
            assert again.headers["Idempotency-Replayed"] == "true"
    assert await log.head() == head


async def test_a_repeat_with_its_old_condition_is_answered_as_the_first(client):
    """Though If-Match names a version that its own first try has left behind."""
    await client.post("/users", json=ALICE)
    headers = {**KEY, "If-Match": '"1"'}
    first = await client.patch("/users/user123", json={"bio": "Hi"}, headers=headers)
    again = await client.patch("/users/user123", json={"bio": "Hi"}, headers=headers)
    assert answer_of(again) == answer_of(first)


OTHERS = [
    ("PATCH", "/users/user123", {"bio": "Ho"}),
    ("PATCH", "/users/user123", {"bio": None}),
    ("PUT", "/users/user123", {"bio": "Hi"}),
    ("PATCH", "/users/nobody", {"bio": "Hi"}),
    ("POST", "/users/user123/deactivate", None),
    ("POST", "/users", ALICE),
]


@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
async def test_a_key_is_for_one_request(client, log, method, path, body):
    """Another body, path or method under it is refused and changes nothing."""
    await client.post("/users", json=ALICE)
    await client.patch("/users/user123", json={"bio": "Hi"}, headers=KEY)
    answer = await client.request(method, path, json=body, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert await log.head() == 2


async def test_a_refused_request_can_be_sent_again(client):
    """Only what was carried out is kept."""
    missing = await client.patch("/users/user123", json={"bio": "Hi"}, headers=KEY)
    assert missing.status_code == 404
    await client.post("/users", json=ALICE)
    answer = await client.patch("/users/user123", json={"bio": "Hi"}, headers=KEY)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert "Idempotency-Replayed" not in answer.headers


async def test_what_means_the_same_is_the_same_request(client):
    """However it is written."""
    await client.post("/users", json=ALICE)
    bodies = [b'{"name":"Alice","bio":"Hi"}', b'{ "bio": "\\u0048i", "name": " Alice" }']
    headers = {**KEY, "Content-Type": "application/json"}
    first, again = [
        await client.patch("/users/user123", content=each, headers=headers) for each in bodies
    ]
    assert answer_of(again) == answer_of(first)


async def test_requests_sent_at_once_are_carried_out_once(client, settings, log):
    """Through two processes."""
    body = {"name": "Bob", "email": "bob@example.com"}
    async with serving(settings) as other:
        answers = await asyncio.gather(
            *(
                each.post("/users", json=body, headers=KEY)
                for each in (client, other)
                for _ in range(10)
            )
        )
    assert len({str(answer_of(each)) for each in answers}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1
    assert await log.head() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a b", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
async def test_a_malformed_key_is_refused(client, log, key):
    """It must not be ignored."""
    answer = await client.post("/users", json=ALICE, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["header/Idempotency-Key"]
    assert await log.head() == 0


HOURLY_MARKS = """
insert into receipt_marks
select 100 + hour, (select max(number) from receipts), now(),
       now() - (27 - hour) * interval '1 hour'
from generate_series(1, $1) hour
"""
"""So many marks of the past hours, that were made after the receipts there are."""


async def test_keys_are_forgotten_in_time(client, settings, postgres_url, log):
    """The service sees to it by itself, and keeps each for a day."""
    connection = await asyncpg.connect(postgres_url)
    for number in range(2):
        body = {"id": f"user-{number}", "name": "Alice", "email": f"{number}@example.com"}
        await client.post("/users", json=body, headers={"Idempotency-Key": f"key-{number}"})
        await connection.execute(HOURLY_MARKS, 26 if number == 0 else 0)
    await connection.close()
    async with serving(settings.model_copy(update={"roles": {Role.COMMANDS}})), asyncio.timeout(10):
        while await log.receipt("key-0"):  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.01)
        assert await log.receipt("key-1")
