"""Operators see parked documents, and have them replayed, over HTTP."""

from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from app.framework.projections import Parked, ProjectionState, ProjectionStatus
from tests.following import take
from tests.unit.api.service import MemoryService

VIEW = "user_history"
PLACE = f"/admin/projections/{VIEW}/parked"
KEYS = ["alice:2", "a b%?ü", "*", "replay"]


@pytest.fixture(autouse=True)
async def _parked(service: MemoryService) -> None:
    """Documents with keys of all kinds are parked."""
    await service.project()
    since = datetime(2026, 3, 14, 9, 26, 53, 589793, UTC)
    parked = [Parked(key, at, "KeyError: x", since, 3) for at, key in enumerate(KEYS, 1)]
    projection = service.projection(VIEW)
    _, lease = await take(service.views, projection)
    status = ProjectionStatus(VIEW, projection.version, 9, 9, ProjectionState.RUNNING)
    await service.views.save(lease, status, parked=parked)


async def replaying(client: httpx.AsyncClient) -> list[str]:
    """The keys of the documents that are to be replayed."""
    listed = (await client.get(PLACE)).json()
    return [each["key"] for each in listed["items"] if each["is_replaying"]]


async def test_parked_documents_are_listed_and_counted(client):
    """With all there is to know of them."""
    answer = await client.get(PLACE)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    listed = answer.json()
    assert (listed["projection"], listed["build"]) == (VIEW, 1)
    assert [each["key"] for each in listed["items"]] == KEYS
    assert listed["items"][0] == {
        "key": "alice:2",
        "position": 1,
        "error": "KeyError: x",
        "since": "2026-03-14T09:26:53.589793Z",
        "waiting": 3,
        "is_replaying": False,
    }
    shown = (await client.get(f"/admin/projections/{VIEW}")).json()
    assert (shown["parked"], shown["builds"][0]["parked"]) == (len(KEYS), len(KEYS))


@pytest.mark.parametrize("key", ["alice:2", "a b%?ü", "replay"])
async def test_one_is_replayed_by_its_key(client, key):
    """Percent-encoded, where it has to be; a repeat changes nothing."""
    for _ in range(2):
        answer = await client.post(f"{PLACE}/{quote(key, safe=':')}/replay")
        assert (answer.status_code, answer.headers["Location"]) == (202, PLACE)
        assert answer.json() == (await client.get(PLACE)).json()
        assert await replaying(client) == [key]
    shown = (await client.get(f"/admin/projections/{VIEW}/builds/1")).json()
    assert shown["replaying"] == 1


async def test_all_are_replayed(client):
    """At once; also where none is parked."""
    for place in (PLACE, PLACE.replace(VIEW, "user_profiles")):
        answer = await client.post(f"{place}/replay")
        assert (answer.status_code, answer.headers["Location"]) == (202, place)
    assert await replaying(client) == KEYS


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", PLACE.replace(VIEW, "books"), "projection-not-found"),
        ("POST", PLACE.replace(VIEW, "books") + "/replay", "projection-not-found"),
        ("POST", PLACE.replace(VIEW, "books") + "/a/replay", "projection-not-found"),
        ("POST", f"{PLACE}/bob:1/replay", "document-not-parked"),
        ("POST", PLACE.replace(VIEW, "user_profiles") + "/alice:2/replay", "document-not-parked"),
    ],
)
async def test_what_is_not_there_is_a_problem(client, method, path, code):
    """Nothing is replayed."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert await replaying(client) == []


async def test_a_page_of_another_origin_replays_nothing(client):
    """As with all that changes something."""
    for path in (f"{PLACE}/replay", f"{PLACE}/alice:2/replay"):
        answer = await client.post(path, headers={"Origin": "https://evil.example"})
        assert answer.json()["code"] == "origin-not-allowed"
    assert await replaying(client) == []
