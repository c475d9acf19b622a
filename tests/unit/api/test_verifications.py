"""Operators have a projection verified over HTTP."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.framework.projections import TakeOver, Versioned
from tests.unit.api.service import MemoryService

VIEW = "user_profiles"
PLACE = f"/admin/projections/{VIEW}/verifications"


@pytest.fixture(autouse=True)
async def _projected(client: httpx.AsyncClient, service: MemoryService) -> None:
    """Two users, in a build that no process works on."""
    for name in ("alice", "bob"):
        user = {"id": name, "name": name.title(), "email": f"{name}@example.com"}
        assert (await client.post("/users", json=user)).status_code == 201
    await service.project()


async def spoil(service: MemoryService) -> None:
    """Change the name of alice, and make a user up."""
    build = service.projection(VIEW).id
    [alice] = (await service.views.load(build, ["alice"])).values()
    wrong = replace(alice, document={**(alice.document or {}), "name": "Mallory"})
    await service.views.replace(build, {"alice": alice}, {"alice": wrong})
    await service.views.write(build, {"eve": Versioned(wrong.document, 2)})


async def ended(client: httpx.AsyncClient, begun: httpx.Response) -> dict[str, Any]:
    """A verification, once it has ended."""
    assert begun.status_code == 202, begun.text
    location = begun.headers["Location"]
    assert location == f"{PLACE}/{begun.json()['id']}"
    async with asyncio.timeout(10):
        while True:
            shown = await client.get(location)
            assert shown.status_code == 200
            if shown.json()["is_over"]:
                return dict(shown.json())
            await asyncio.sleep(0.01)


async def test_what_differs_is_shown_and_mended_on_request(client, service):
    """How far it is, what differs, and what was repaired."""
    await spoil(service)
    begun = await client.post(PLACE, json={})
    assert (begun.json()["is_over"], begun.json()["repair"]) == (False, False)
    found = await ended(client, begun)
    assert (found["differing"], found["repaired"], found["error"]) == (2, 0, None)
    assert found["done"] == found["total"] > 0
    repaired = await ended(client, await client.post(PLACE, json={"repair": True}))
    assert (repaired["differing"], repaired["repaired"]) == (2, 2)
    assert [(each["key"], each["kind"]) for each in repaired["differences"]] == [
        ("alice", "changed"),
        ("eve", "surplus"),
    ]
    last = await ended(client, await client.post(PLACE, json={"sample": 100}))
    assert last["differing"] == 0


async def test_one_is_under_way_at_a_time(client):
    """Of each projection."""
    begun = await client.post(PLACE, json={})
    second = await client.post(PLACE, json={})
    other = await client.post(PLACE.replace(VIEW, "user_history"), json={})
    assert (second.status_code, second.json()["code"]) == (409, "projection-busy")
    assert begun.json()["id"] in second.json()["detail"]
    assert other.status_code == 202
    await ended(client, begun)
    assert (await client.post(PLACE, json={})).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", PLACE.replace(VIEW, "books"), (404, "projection-not-found")),
        ("GET", f"{PLACE}/0a", (404, "verification-not-found")),
        ("GET", f"{PLACE}/x", (422, "invalid-request")),
    ],
)
async def test_what_is_not_there_is_a_problem(client, method, path, answer):
    """A verification that ended with its process, too: it can be repeated."""
    found = await client.request(method, path, json={} if method == "POST" else None)
    assert (found.status_code, found.json()["code"]) == answer


async def test_a_verification_is_known_under_its_projection_only(client):
    """Not under another."""
    begun = await client.post(PLACE, json={})
    other = begun.headers["Location"].replace(VIEW, "user_history")
    assert (await client.get(other)).json()["code"] == "verification-not-found"


@pytest.mark.parametrize(
    "body", [{"sample": 0}, {"sample": 101}, {"repair": 1}, {"sample": "5"}, {"build": 1}]
)
async def test_what_cannot_be_asked_is_refused(client, body):
    """Before anything is begun."""
    assert (await client.post(PLACE, json=body)).json()["code"] == "invalid-request"


async def test_what_this_process_cannot_fold_is_a_conflict(client, service):
    """A build of a newer version of the service serves."""
    newer = replace(service.projection(VIEW), version=99)
    await service.views.begin(newer, take_over=TakeOver.WHEN_CAUGHT_UP, known=1)
    await service.views.switch(VIEW, serving=service.projection(VIEW).id, to=newer.id)
    answer = await client.post(PLACE, json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "cannot-be-verified")
