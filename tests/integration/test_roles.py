"""Processes of two roles, and several of all roles at once, on the same databases."""

import asyncio
from itertools import combinations

import pytest

from app.bootstrap import all_projections
from app.host.settings import Role
from tests.integration.auditing import differences
from tests.integration.conftest import caught_up, serving, shown

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
BOB = {"id": "bob", "name": "Bob Jones", "email": "bob@example.com"}
WRITES = [
    ("POST", "/users", BOB),
    ("PATCH", "/users/alice", {"name": "Al"}),
    ("PUT", "/users/alice", {"name": "Alice"}),
    ("POST", "/users/alice/deactivate", None),
    ("POST", "/users/alice/reactivate", None),
]
READS = [
    ("GET", "/users", None),
    ("GET", "/users/alice", None),
    ("GET", "/users/alice?as_of_version=1", None),
    ("GET", "/users/alice/history", None),
]
CHECKS = {
    "postgresql": {Role.COMMANDS, Role.PROJECTOR},
    "mongodb": {Role.QUERIES, Role.PROJECTOR},
    "writes": {Role.COMMANDS},
    "views": {Role.QUERIES},
    "projector": {Role.PROJECTOR},
}
UNREACHABLE = {
    "database_url": ("postgresql://127.0.0.1:1/gone", {Role.COMMANDS, Role.PROJECTOR}),
    "mongodb_url": ("mongodb://127.0.0.1:1/", {Role.QUERIES, Role.PROJECTOR}),
}
USERS = [f"user-{number}" for number in range(20)]
UPDATES = 5


@pytest.mark.parametrize("pair", [*combinations(Role, 2)], ids=",".join)
async def test_two_roles_serve_what_they_say(settings, log, pair):
    """Beside a process of the third role; what is not theirs is answered 421, by either.

    A database that a process does not need cannot even be reached.
    """
    one, other = frozenset(pair), frozenset(Role) - frozenset(pair)

    async with (
        serving(_with_roles(settings, one)) as first,
        serving(_with_roles(settings, other)) as second,
    ):
        writer, reader = (
            first if role in one else second for role in (Role.COMMANDS, Role.QUERIES)
        )
        assert (await writer.post("/users", json=ALICE)).status_code == 201
        await shown(reader, "/users/alice/history", lambda it: it.status_code == 200)
        await shown(reader, "/users/alice", lambda it: it.status_code == 200)
        for client, roles in ((first, one), (second, other)):
            await _assert_serves(client, roles)
        head = await log.head()
        assert head == 1 + len(WRITES)
        await caught_up(reader, head)
        # Without a token a process may answer by what it has kept for some milliseconds.
        changed = len(WRITES)
        profile = await shown(reader, "/users/alice", lambda it: it.json()["version"] == changed)
        assert profile.json()["name"] == "Alice"
    assert await differences(log, settings) == []


def _with_roles(settings, roles):
    """Settings for these roles, with what they can do without out of reach."""
    away = {name: url for name, (url, needed_by) in UNREACHABLE.items() if not roles & needed_by}
    return settings.model_copy(update={"roles": roles, **away})


async def _assert_serves(client, roles):
    """Its own messages, health and projections, and nothing else."""
    for requests, role in ((WRITES, Role.COMMANDS), (READS, Role.QUERIES)):
        for method, path, body in requests:
            answer = await client.request(method, path, json=body)
            if role in roles:
                assert answer.is_success, answer.text
            else:
                assert (answer.status_code, answer.json()["code"]) == (421, "misdirected-request")
    if Role.QUERIES not in roles:
        assert (await client.get("/changes")).status_code == 421
    live = await client.get("/health/live")
    ready = await shown(client, "/health/ready", lambda it: it.status_code == 200)
    assert live.json()["roles"] == ready.json()["roles"] == sorted(roles)
    assert {each["name"] for each in ready.json()["checks"]} == {
        name for name, needed_by in CHECKS.items() if roles & needed_by
    }
    projections = (await client.get("/projections")).json()["items"]
    assert {each["name"] for each in projections} == {each.name for each in all_projections()}


async def test_two_processes_of_all_roles(settings, log):
    """Both write the same users at once, and project; each write is there once, in one order."""
    async with serving(settings) as one, serving(settings) as other:
        both = (one, other)
        registered = await asyncio.gather(*(_register(it, user) for user in USERS for it in both))
        assert sorted(registered) == [201] * len(USERS) + [409] * len(USERS)

        written = await asyncio.gather(
            *(
                _update(client, user, f"{user}, {each} of {number}")
                for number, client in enumerate(both)
                for each in range(UPDATES)
                for user in USERS
            )
        )

        head = await log.head()
        for each in both:
            await caught_up(each, head)
        for user in USERS:
            updates = [(version, bio) for name, version, bio in written if name == user and version]
            assert updates
            assert len(dict(updates)) == len(updates)
            await _assert_history(both, user, dict(updates))
        for path in ("/users", "/users?sort=-created_at"):
            assert (await one.get(path)).json() == (await other.get(path)).json()
    assert await differences(log, settings) == []


async def _register(client, user):
    body = {"id": user, "name": user, "email": f"{user}@example.com"}
    return (await client.post("/users", json=body)).status_code


async def _update(client, user, bio):
    """Whose it was, the version it came to and the bio, or no version if it was refused."""
    answer = await client.patch(f"/users/{user}", json={"bio": bio})
    assert answer.status_code == 200 or answer.json()["code"] == "conflict", answer.text
    return user, answer.json().get("version"), bio


async def _assert_history(clients, user, accepted):
    """Every process shows each accepted update at the version it was answered with, no other."""
    for client in clients:
        history = (await client.get(f"/users/{user}/history?limit=200")).json()["items"]
        assert [each["version"] for each in history] == list(range(1, len(history) + 1))
        assert {each["version"]: each["data"]["bio"] for each in history[1:]} == accepted
        profile = (await client.get(f"/users/{user}")).json()
        assert (profile["version"], profile["bio"]) == (len(history), history[-1]["data"]["bio"])
