"""Events that this version of the service cannot read: of a newer one, or damaged."""

import logging
from typing import Any

import asyncpg
import pytest
from pymongo import MongoClient

from app.host.settings import Role
from tests.integration.conftest import caught_up, serving

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
BOB = {"id": "bob", "name": "Bob Jones", "email": "bob@example.com"}
WRITES = [
    ("PATCH", "/users/alice", {"bio": "x"}),
    ("PUT", "/users/alice", {"bio": "x"}),
    ("POST", "/users/alice/deactivate", None),
    ("POST", "/users/alice/reactivate", None),
]
READS = ["/users/alice/history", "/users/alice?as_of_version=2"]
POISON = {
    "an unknown type": "type = 'UserPromoted'",
    "a later schema version": "schema_version = 99",
    "a payload of other fields": """data = '{"nom": "Alice"}'""",
    "a payload that is no object": "data = '7'",
    "an event in the wrong place": (
        "type = 'UserRegistered', data = '"
        '{"user_id": "alice", "name": "A", "email": "a@example.com", "avatar_url": null, '
        """"bio": null}'"""
    ),
}


@pytest.fixture
async def written(settings) -> None:
    """Alice with three events and Bob with one, in every view."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        await client.patch("/users/alice", json={"name": "Alice Wonderland"})
        await client.patch("/users/alice", json={"bio": "Took notes."})
        await client.post("/users", json=BOB)
        await caught_up(client, 4)


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_commands_that_meet_an_unreadable_event_are_refused_and_logged_once(
    settings, postgres_url, log, caplog, poison
):
    """503 with a code of its own; other users are as before, and nothing personal is logged."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"update events set {poison} where position = 2")
    await connection.close()
    caplog.set_level(logging.WARNING)
    only = settings.model_copy(update={"roles": frozenset({Role.COMMANDS})})
    async with serving(only) as client:
        for method, path, body in WRITES * 5:
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (503, "unreadable-event")
            assert answer.headers["Retry-After"]
        assert (await client.patch("/users/bob", json={"bio": "x"})).status_code == 200
    assert await log.head() == 5
    [line] = caplog.messages
    assert "position 2 of the log" in line
    assert "Alice" not in caplog.text


@pytest.mark.usefixtures("written")
async def test_queries_that_meet_an_unreadable_event_are_refused_and_logged_once(settings, caplog):
    """As when a projector of a newer version is ahead; what does without the event goes on."""
    with MongoClient[Any](settings.mongodb_url) as client:
        history = client[settings.mongodb_database]["user_history_v1"]
        history.update_one({"position": 2}, {"$set": {"type": "UserTransferred"}})
    caplog.set_level(logging.WARNING)
    only = settings.model_copy(update={"roles": frozenset({Role.QUERIES})})
    async with serving(only) as client:
        for path in READS * 5:
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "unreadable-event")
        stream = await client.get("/changes", headers={"Last-Event-ID": "0"})
        assert "data:" not in stream.text  # it ends, before it begins or at its first event
        for path in ("/users/alice", "/users", "/users/bob/history"):
            assert (await client.get(path)).status_code == 200
    [line] = caplog.messages
    assert "position 2 of the log" in line
