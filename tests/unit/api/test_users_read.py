"""The users routes that read, from query parameters to the wire schema."""

import base64
import json
from datetime import datetime, timedelta

import pytest

from tests.unit.api.conftest import ALICE


async def test_a_profile_is_read_from_the_view(client, alice):
    """GET answers what the write answered, with its ETag and no Consistency-Token."""
    written = await client.patch(f"/users/{alice}", json={"name": ALICE["name"]})

    read = await client.get(f"/users/{alice}")

    assert read.json() == written.json()
    assert read.headers["ETag"] == '"1"'
    assert "Consistency-Token" not in read.headers


async def test_a_list_shows_summaries_only(client, alice):
    """Each item has exactly id, name and avatar_url; the last page has a null next_cursor."""
    answer = await client.get("/users")

    summary = {"id": alice, "name": ALICE["name"], "avatar_url": None}
    assert answer.json() == {"items": [summary], "next_cursor": None}


async def test_a_list_is_filtered_sorted_and_paged(client, service):
    """Every parameter reaches the query, and the pages together are the whole list."""
    for number, name in enumerate(["Ann Lee", "Bob Lee", "Cyd Poe", "Dan Lee"]):
        body = {"id": f"u{number}", "name": name, "email": f"u{number}@example.com"}
        await client.post("/users", json=body)
    await client.post("/users/u3/deactivate")
    await service.project()

    async def names(**params):
        page = (await client.get("/users", params=params)).json()
        return [each["name"] for each in page["items"]], page["next_cursor"]

    assert await names(sort="-name") == (["Cyd Poe", "Bob Lee", "Ann Lee"], None)
    assert await names(q="LEE", sort="-created_at") == (["Bob Lee", "Ann Lee"], None)
    assert await names(status="deactivated") == (["Dan Lee"], None)
    first, cursor = await names(limit=2)
    second, end = await names(limit=2, cursor=cursor)
    assert (first + second, end) == (["Ann Lee", "Bob Lee", "Cyd Poe"], None)


async def test_the_past_is_asked_for_by_version_or_time(client, alice, service):
    """Both answer the profile as it stood, with the ETag it had; a time may have any offset."""
    await client.patch(f"/users/{alice}", json={"name": "Alice Wonderland"})
    await service.project()
    now = (await client.get(f"/users/{alice}")).json()

    by_version = await client.get(f"/users/{alice}", params={"as_of_version": 1})
    elsewhere = datetime.fromisoformat(now["updated_at"]) + timedelta(hours=2, seconds=1)
    as_of = elsewhere.replace(tzinfo=None).isoformat() + "+02:00"
    by_time = await client.get(f"/users/{alice}", params={"as_of": as_of})
    before = await client.get(f"/users/{alice}", params={"as_of": "2001-01-01T00:00:00Z"})

    assert (by_version.json()["name"], by_version.headers["ETag"]) == (ALICE["name"], '"1"')
    assert (by_time.json(), by_time.headers["ETag"]) == (now, '"2"')
    assert (before.status_code, before.json()["code"]) == (404, "user-not-found")


async def test_the_past_is_asked_for_by_version_and_time(client, alice, service):
    """Whichever came first counts."""
    await client.patch(f"/users/{alice}", json={"name": "Alice Wonderland"})
    await service.project()

    at_the_end_of_time = {"as_of": "9999-12-31T23:59:59Z", "as_of_version": 1}
    by_version = await client.get(f"/users/{alice}", params=at_the_end_of_time)
    long_ago = {"as_of": "2001-01-01T00:00:00Z", "as_of_version": 1}
    by_time = await client.get(f"/users/{alice}", params=long_ago)

    assert (by_version.status_code, by_version.headers["ETag"]) == (200, '"1"')
    assert (by_time.status_code, by_time.json()["code"]) == (404, "user-not-found")


async def test_a_history_is_paged_oldest_first(client, alice, service):
    """One entry an event, with the new values; the pages together are the whole history."""
    await client.patch(f"/users/{alice}", json={"name": "Al", "bio": "Hi"})
    await service.project()

    first = (await client.get(f"/users/{alice}/history", params={"limit": 2})).json()
    rest = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get(f"/users/{alice}/history", params=rest)).json()

    entries = first["items"] + second["items"]
    assert second["next_cursor"] is None
    assert [(each["version"], each["type"]) for each in entries] == [
        (1, "UserRegistered"),
        (2, "UserNameChanged"),
        (3, "UserBioChanged"),
    ]
    assert set(entries[1]) == {"version", "type", "occurred_at", "actor", "data"}
    assert (entries[1]["data"], entries[1]["actor"]) == ({"name": "Al"}, None)
    assert entries[1]["occurred_at"].endswith("Z")


async def test_a_cursor_of_another_list_is_refused(client, alice, service):
    """400, whether it is made up or belongs to another filter."""
    for number in range(2):
        await client.post("/users", json={"name": "Bo", "email": f"bo{number}@example.com"})
    await service.project()
    cursor = (await client.get("/users", params={"limit": 1})).json()["next_cursor"]

    for params in ({"cursor": "made-up"}, {"cursor": cursor, "sort": "-name"}):
        answer = await client.get("/users", params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")
    answer = await client.get(f"/users/{alice}/history", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/users", {"sort": "name"}),
        ("/users", {"sort": "-name"}),
        ("/users", {"sort": "created_at"}),
        ("/users", {"sort": "-created_at"}),
        ("/users", {"sort": "created_at", "q": "a"}),
        ("/users/user123/history", {}),
    ],
)
async def test_a_cursor_of_a_wrong_type_is_refused(client, alice, service, path, params):
    """It would lead behind everything, and the empty page there would say that it is the last."""
    await client.post("/users", json={"name": "Alan", "email": "alan@example.com"})
    await client.patch(f"/users/{alice}", json={"bio": "Second."})
    await service.project()
    page = await client.get(path, params={**params, "limit": 1})
    cursor = page.json()["next_cursor"]
    fingerprint, is_time, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert (await client.get(path, params={**params, "cursor": cursor})).json()["items"]

    others = [(0, "zz"), (0, 9), (1, "2026-01-01T00:00:00Z")]
    for other in others:
        said = json.dumps([fingerprint, *other, key]).encode()
        forged = base64.urlsafe_b64encode(said).rstrip(b"=").decode()
        answer = await client.get(path, params={**params, "cursor": forged})
        same = (is_time, type(value)) == (other[0], type(other[1]))
        assert answer.status_code == (200 if same else 400), other
        assert same or answer.json()["code"] == "invalid-cursor"


@pytest.mark.parametrize(("method", "header"), [("GET", "If-None-Match"), ("POST", "If-Match")])
async def test_entity_tags_take_half_of_a_head(client, alice, method, header):
    """More of them are refused, as the document says."""
    path = f"/users/{alice}" if method == "GET" else f"/users/{alice}/deactivate"
    statuses = [
        (
            await client.request(method, path, headers={header: f'"{"0" * (length - 2)}"'})
        ).status_code
        for length in (16 * 1024, 16 * 1024 + 1)
    ]
    assert statuses == [200 if method == "GET" else 412, 422]
