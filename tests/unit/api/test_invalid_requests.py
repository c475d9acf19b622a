"""Requests that are malformed: 422 with the place, and nothing recorded."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from app.contexts.users.http.schemas import UserRegistration, UserUpdate

JSON = {"Content-Type": "application/json"}


async def refusal(client, service, method, path, **request):
    """The problem that answers a request which must be refused before anything is recorded."""
    head = await service.log.head()
    answer = await client.request(method, path, **request)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await service.log.head() == head
    return answer.json()


def places(problem):
    """Where the errors of a problem are."""
    return [each["pointer"] for each in problem["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'name': 'x'}",
        b"null",
        b"true",
        b"7",
        b"1.5",
        b'"name"',
        b"[]",
        b'[{"name": "x"}]',
        b"\xff{}",
        b"[" * 60_000,
        b'{"name":' * 8_000,
        b"9" * 10_000,
        b"{}",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
async def test_a_body_that_is_no_update(client, alice, service, body):
    """Whatever it is instead of a JSON object with a member, the pointer is to the body."""
    problem = await refusal(client, service, "PATCH", f"/users/{alice}", content=body, headers=JSON)

    assert places(problem) == ["#"]


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [
        ("name", None, "#/name"),
        ("name", 7, "#/name"),
        ("name", ["x"], "#/name"),
        ("name", {"$ne": ""}, "#/name"),
        ("name", "", "#/name"),
        ("name", " ", "#/name"),
        ("name", "x" * 201, "#/name"),
        ("name", "x" * 60_000, "#/name"),
        ("name", "a\x00b", "#/name"),
        ("name", "a\ud800b", "#/name"),
        ("email", None, "#/email"),
        ("email", "alice", "#/email"),
        ("email", "x" * 300 + "@example.com", "#/email"),
        ("email", "a\x00@example.com", "#/email"),
        ("email", "a\udfff@example.com", "#/email"),
        ("avatar_url", "ftp://example.com", "#/avatar_url"),
        ("avatar_url", 0, "#/avatar_url"),
        ("avatar_url", "https://a\ud800.com/", "#/avatar_url"),
        ("bio", "x" * 1001, "#/bio"),
        ("bio", "\x00", "#/bio"),
        ("bio", "\ud800", "#/bio"),
        ("id", "other", "#/id"),
        ("status", "deactivated", "#/status"),
        ("a/b~c \u00e9", 1, "#/a~1b~0c%20%C3%A9"),
        ("x" * 5000, 1, "#/" + "x" * 100),
    ],
    ids=lambda value: ascii(value)[:20],
)
async def test_an_update_with_an_invalid_member(client, alice, service, member, value, place):
    """The pointer names the member, even when the rest is valid."""
    body = json.dumps({"bio": "valid", "name": "Valid", member: value})

    problem = await refusal(client, service, "PUT", f"/users/{alice}", content=body, headers=JSON)

    assert places(problem) == [place]


async def test_a_member_whose_name_is_no_text(client, alice, service):
    """Half a surrogate pair in a name is refused like any other unknown member."""
    await refusal(
        client, service, "PATCH", f"/users/{alice}", content=b'{"\\ud800": 1}', headers=JSON
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["#/name", "#/email"]),
        ({"name": "Bob"}, ["#/email"]),
        ({"name": "Bob", "email": "bob"}, ["#/email"]),
        ({"name": "Bob", "email": "bob@example.com", "id": "no spaces"}, ["#/id"]),
        ({"name": "Bob", "email": "bob@example.com", "id": None}, ["#/id"]),
        ({"name": "Bob", "email": "bob@example.com", "id": 7}, ["#/id"]),
        ({"name": "Bob", "email": "bob@example.com", "admin": True}, ["#/admin"]),
        ({"name": "", "email": "", "bio": 1}, ["#/name", "#/email", "#/bio"]),
    ],
)
async def test_a_registration_that_is_invalid(client, service, body, expected):
    """Every place that is invalid is listed, missing members included."""
    assert places(await refusal(client, service, "POST", "/users", json=body)) == expected


@pytest.mark.parametrize("unknown", [19, 90, 1000])
async def test_the_list_of_errors_is_bounded(client, service, unknown):
    """A body full of mistakes has the first twenty listed."""
    body = {"name": "", **{f"unknown{number}": 1 for number in range(unknown)}, "email": "a@b.com"}

    problem = await refusal(client, service, "POST", "/users", json=body)

    first = [f"#/unknown{number}" for number in range(19)]
    assert places(problem) == ["#/name", *first]
    assert ("20 places" if unknown == 19 else "more than 20 places") in problem["detail"]


@pytest.mark.parametrize("schema", [UserRegistration, UserUpdate])
def test_errors_are_made_for_some_of_thousands_of_members(schema):
    """Each error takes longer than to read its member."""
    with pytest.raises(ValidationError) as invalid:
        schema.model_validate({f"{number}": 0 for number in range(8000)})
    assert 20 < invalid.value.error_count() < 30


async def test_a_declared_member_counts_wherever_it_stands(client, service):
    """Behind thousands that are not declared, too."""
    body = {**{f"unknown{number}": 1 for number in range(1000)}, "name": "", "email": "a@b.com"}

    assert "#/name" in places(await refusal(client, service, "POST", "/users", json=body))


@pytest.mark.parametrize(
    "email",
    ["hunter2", "hunter2@\u2117hunter2.com", "hunter2@hunter2\u0378.com", "hunter2@-hunter2.com"],
)
async def test_no_value_is_repeated(client, service, email):
    """A secret sent to the wrong place does not come back, so it is in no log of answers."""
    body = {"name": ["hunter2"], "email": email, "bio": {"hunter2": 1}, "avatar_url": "hunter2"}

    problem = await refusal(client, service, "POST", "/users", json=body)

    assert "hunter2" not in json.dumps(problem)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/users?limit=0", ["query/limit"]),
        ("/users?limit=201", ["query/limit"]),
        ("/users?limit=many", ["query/limit"]),
        ("/users?limit=99999999999999999999", ["query/limit"]),
        ("/users?limit=1_0", ["query/limit"]),
        ("/users?limit=%2B1", ["query/limit"]),
        ("/users?limit=%201", ["query/limit"]),
        ("/users?limit=1.0", ["query/limit"]),
        ("/users?status=gone", ["query/status"]),
        ("/users?sort=email", ["query/sort"]),
        ("/users?q=", ["query/q"]),
        ("/users?q=" + "x" * 101, ["query/q"]),
        ("/users?cursor=" + "x" * 4097, ["query/cursor"]),
        ("/users?limit=0&sort=email", ["query/sort", "query/limit"]),
        ("/users/user123?as_of=yesterday", ["query/as_of"]),
        ("/users/user123?as_of=1773480413", ["query/as_of"]),
        ("/users/user123?as_of=2026-03-14", ["query/as_of"]),
        ("/users/user123?as_of=2026-03-14T09:26:53", ["query/as_of"]),
        ("/users/user123?as_of=2026-02-30T09:26:53Z", ["query/as_of"]),
        ("/users/user123?as_of_version=0", ["query/as_of_version"]),
        ("/users/user123?as_of_version=2147483648", ["query/as_of_version"]),
        ("/users/user123?as_of_version=1.0", ["query/as_of_version"]),
        ("/users/no%20spaces", ["path/user_id"]),
        ("/users/%ff", ["path/user_id"]),
        ("/users/" + "x" * 65, ["path/user_id"]),
        ("/users/user123/history?limit=0", ["query/limit"]),
    ],
)
async def test_a_parameter_that_is_invalid(client, service, path, expected):
    """The place says which kind of parameter it is, and its name."""
    assert places(await refusal(client, service, "GET", path)) == expected


@pytest.mark.parametrize("position", ["-1", "+0", "0.0", "1_0", "many", "9223372036854775808"])
async def test_a_position_that_is_none(client, service, position):
    """Whoever names no position gets no stream, which might begin anywhere."""
    async with asyncio.timeout(10):
        problem = await refusal(
            client, service, "GET", "/changes", headers={"Last-Event-ID": position}
        )

    assert places(problem) == ["header/Last-Event-ID"]
