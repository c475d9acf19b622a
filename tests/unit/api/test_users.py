"""The users routes, from wire schema to message and back."""

import base64
import json
import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.contexts.users.domain.events import UserRegistered
from app.framework.eventsourcing import Append
from app.framework.http.consistency import decode_position
from tests.unit.api.conftest import ALICE


async def test_registering_answers_the_profile(client):
    """201 with every field of the profile, times in UTC with Z, and where to find it."""
    answer = await client.post("/users", json=ALICE)

    profile = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/users/user123"
    assert answer.headers["ETag"] == '"1"'
    assert decode_position(answer.headers["Consistency-Token"]) == 1
    for name in ("created_at", "updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", profile.pop(name))
    assert profile == {
        **ALICE,
        "avatar_url": None,
        "bio": None,
        "status": "active",
        "version": 1,
    }


async def test_every_member_of_a_registration_is_taken(client):
    """The optional ones, too."""
    body = {**ALICE, "avatar_url": "https://example.com/a.png", "bio": "Here\nand there"}

    profile = (await client.post("/users", json=body)).json()

    assert body.items() <= profile.items()


async def test_an_id_left_out_is_made(client):
    """It is a UUID of version 7, another for each user."""
    ids = []
    for number in range(2):
        body = {"name": "Bob", "email": f"bob{number}@example.com"}
        answer = await client.post("/users", json=body)
        ids.append(answer.json()["id"])
        assert answer.headers["Location"] == f"/users/{ids[-1]}"

    assert [UUID(each).version for each in ids] == [7, 7]
    assert ids[0] != ids[1]


async def test_values_are_taken_in_their_accepted_form(client):
    """The answer shows the name trimmed and in NFC, the address with its domain lower-case."""
    body = {"name": "  Zoe\u0308 ", "email": "Zoe@EXAMPLE.com"}

    profile = (await client.post("/users", json=body)).json()

    assert (profile["name"], profile["email"]) == ("Zo\u00eb", "Zoe@example.com")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_an_update_changes_what_it_names(client, alice, method):
    """What is left out stays; the version, its ETag and the token move on."""
    answer = await client.request(method, f"/users/{alice}", json={"name": "Alice Wonderland"})

    profile = answer.json()
    assert answer.status_code == 200
    assert (profile["name"], profile["email"]) == ("Alice Wonderland", ALICE["email"])
    assert (profile["version"], answer.headers["ETag"]) == (2, '"2"')
    assert decode_position(answer.headers["Consistency-Token"]) == 2


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_null_clears_an_optional_field(client, alice, method):
    """An avatar and a bio can be set, are kept when left out, and cleared by null."""
    filled = {"avatar_url": "https://example.com/a.png", "bio": "Here\nand there"}
    first = await client.request(method, f"/users/{alice}", json=filled)
    second = await client.request(method, f"/users/{alice}", json={"bio": None})

    assert filled.items() <= first.json().items()
    assert second.json()["avatar_url"] == filled["avatar_url"]
    assert second.json()["bio"] is None


async def test_an_update_that_changes_nothing_records_nothing(client, alice, service):
    """It answers 200 with the version there was, and the log does not grow."""
    head = await service.log.head()

    answer = await client.patch(f"/users/{alice}", json={"name": ALICE["name"], "bio": None})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert await service.log.head() == head


async def test_deactivating_and_reactivating(client, alice):
    """Each answers the profile with its new status; in between, updates are refused."""
    closed = await client.post(f"/users/{alice}/deactivate")
    refused = await client.patch(f"/users/{alice}", json={"name": "Nobody"})
    opened = await client.post(f"/users/{alice}/reactivate")

    assert (closed.json()["status"], closed.headers["ETag"]) == ("deactivated", '"2"')
    assert (refused.status_code, refused.json()["code"]) == (409, "user-deactivated")
    assert (opened.json()["status"], opened.headers["ETag"]) == ("active", '"3"')
    assert decode_position(opened.headers["Consistency-Token"]) == 3


async def test_a_weak_entity_tag_in_if_match_is_refused_with_what_to_send(client, alice):
    """A proxy that compresses weakens them: the version is right, and still it never matches."""
    refused = await client.patch(
        f"/users/{alice}", json={"name": "Alice"}, headers={"If-Match": 'W/"1"'}
    )
    unknown = await client.post("/users/nobody/deactivate", headers={"If-Match": 'W/"1"'})

    assert (refused.status_code, refused.json()["code"]) == (412, "version-mismatch")
    assert refused.json()["detail"] == (
        "If-Match names a weak entity tag (W/), which never matches; a proxy may have weakened it. "
        'Send the strong one, without W/. The version is 1, whose entity tag is "1".'
    )
    assert unknown.status_code == 404


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


async def test_a_user_who_has_a_reserved_id_keeps_it(client, service):
    """The id `me` was an id like any; nobody is given it any more."""
    was_registered = UserRegistered("me", "Mel", "mel@example.com")
    await service.log.append(Append("user-me", 0, [was_registered]))

    changed = await client.patch("/users/me", json={"bio": "Here before."})
    await service.project()
    found = await client.get("/users/me")
    again = await client.post("/users", json={**ALICE, "id": "me"})

    assert (changed.status_code, found.status_code) == (200, 200)
    assert found.json()["bio"] == "Here before."
    assert again.status_code == 422
    assert again.json()["errors"] == [
        {
            "pointer": "#/id",
            "code": "value-error",
            "detail": "The id me is reserved; choose another.",
        }
    ]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("al@straße.de", "al@strasse.de", 201),
        ("al@strasse.de", "al@straße.de", 201),
        ("al@βόλος.com", "al@βόλο\u03c3.com", 201),
        ("al@straße.de", "AL@Straße.DE", 409),
        ("al@straße.de", "al@xn--strae-oqa.de", 409),
        ("al@xn--bcher-kva.de", "al@BÜCHER.de", 409),
        ("weiß@strasse.de", "weiss@strasse.de", 409),
    ],
)
async def test_an_address_is_another_if_its_domain_is(client, first, second, status):
    """By IDNA 2008; what stands before the `@` is compared without case."""
    await client.post("/users", json={"name": "Al", "email": first})
    answer = await client.post("/users", json={"name": "Bo", "email": second})

    assert answer.status_code == status
    assert answer.json()["email" if status == 201 else "code"] in {second, "email-taken"}


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/nobody"),
        ("PATCH", "/users/nobody"),
        ("PUT", "/users/nobody"),
        ("POST", "/users/nobody/deactivate"),
        ("POST", "/users/nobody/reactivate"),
        ("GET", "/users/nobody/history"),
    ],
)
async def test_an_unknown_user_is_not_found(client, service, method, path):
    """404 with the user's id in the sentence, whatever is asked of the user."""
    await service.project()

    answer = await client.request(method, path, json={"name": "Nobody"})

    assert answer.status_code == 404
    assert answer.json()["detail"] == "User with ID nobody not found."
