"""The users routes, from wire schema to message and back."""

import re
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
