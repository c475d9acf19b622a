"""Which requests are in the audit log, and what it says about them."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import httpx
import pytest

from app.adapters.identity import new_key
from app.bootstrap import policies_of
from app.framework.http.application import Access
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import InvalidToken
from tests.unit.api.access import ALL_SCOPES, DOCUMENT
from tests.unit.api.service import application

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}

SCOPES = {
    "importer": frozenset({"users:admin", "users:read:any"}),
    "administrator": ALL_SCOPES,
    "auditor": frozenset({"changes:read", "log:read", "projections:read"}),
}


class Tokens:
    """Knows the tokens of two clients who may do some things. Implements Authenticator."""

    trouble = None

    async def authenticate(self, token: str) -> Principal:
        """The client of this name."""
        if token not in SCOPES:
            raise InvalidToken("It is unknown.")
        return Principal(
            kind=PrincipalKind.CLIENT,
            issuer="https://login.example.com",
            subject=token,
            scopes=SCOPES[token],
        )

    async def open(self) -> None:
        """Nothing is needed."""

    async def close(self) -> None:
        """Nothing was taken."""


@pytest.fixture
async def client(service):
    """A client with the token."""
    access = Access(authenticator=Tokens(), policies=policies_of())
    api = application(service, access=access, administered=True, origins=frozenset({"https://a"}))
    transport = httpx.ASGITransport(api, client=("192.0.2.7", 1))
    headers = {"Authorization": "Bearer importer"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://diptych", headers=headers
    ) as client:
        yield client


@pytest.fixture
def lines(caplog) -> Callable[[], Sequence[dict[str, Any]]]:
    """Gives the lines since the last time."""
    caplog.set_level(logging.INFO, "app.audit")

    def since() -> Sequence[dict[str, Any]]:
        found = [each.getMessage() for each in caplog.records if each.name == "app.audit"]
        caplog.clear()
        return [json.loads(each) for each in found]

    return since


IMPORTER = {"kind": "client", "issuer": "https://login.example.com", "subject": "importer"}


async def test_a_write_has_a_line(client, lines):
    """With the id of what it is about, and that of its request, whether it was carried out."""
    created = await client.post("/users", json=ALICE)
    await client.put("/users/alice", json={"name": "Alice Wonderland"})
    await client.put("/users/bob", json={"name": "Bob"})
    await client.put("/users/alice", json={"name": 1})
    await client.post("/users", json={"id": "bob"})
    found = lines()
    assert [each["operation"] for each in found] == [
        "register_user",
        *["put_user"] * 3,
        "register_user",
    ]
    assert [each["resource"] for each in found] == [
        {"user_id": "alice"},
        {"user_id": "alice"},
        {"user_id": "bob"},
        {"user_id": "alice"},
        {},
    ]
    assert [(each["outcome"], each["status"], each.get("problem")) for each in found] == [
        ("done", 201, None),
        ("done", 200, None),
        ("refused", 404, "user-not-found"),
        ("refused", 422, "invalid-request"),
        ("refused", 422, "invalid-request"),
    ]
    assert [each["principal"] for each in found] == [IMPORTER] * 5
    assert found[0]["request_id"] == created.headers["X-Request-Id"]
    assert "internal_request_id" not in found[0]


async def test_an_id_that_a_client_sent_does_not_stand_alone(client, lines):
    """Others can send the same one."""
    await client.put("/users/alice", json={"name": "A"}, headers={"X-Request-Id": "mine"})
    [found] = lines()
    assert found["request_id"] == "mine"
    assert len(found["internal_request_id"]) == 36


async def test_a_read_that_is_allowed_has_no_line(client, lines, service):
    """Nor one of what is not there; a read that is refused has one."""
    await client.post("/users", json=ALICE)
    await service.project()
    lines()
    assert (await client.get("/users/alice")).status_code == 200
    assert (await client.head("/users/alice")).status_code == 200
    assert (await client.get("/users/nobody")).status_code == 404
    assert (await client.get("/health/live", headers={"Authorization": "x"})).status_code == 200
    assert lines() == []
    assert (await client.get("/users", params={"q": "secret"})).status_code == 403
    assert (await client.head("/users")).status_code == 403
    found = lines()
    assert [each["operation"] for each in found] == ["list_users"] * 2
    assert {each["problem"] for each in found} == {"forbidden"}
    assert {each["outcome"] for each in found} == {"refused"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "line"),
    [
        ("GET", "/users/alice", {}, ("get_user", 401, "unauthenticated", {})),
        (
            "POST",
            "/users/alice/deactivate",
            {"Authorization": "Bearer wrong"},
            ("deactivate_user", 401, "invalid-token", {}),
        ),
        (
            "PUT",
            "/users/alice",
            {"Origin": "https://evil.example.com"},
            ("put_user", 403, "origin-not-allowed", {}),
        ),
        ("GET", "/nowhere", {}, (None, 401, "unauthenticated", {})),
    ],
)
async def test_a_request_without_a_principal_has_its_address(
    client, lines, method, path, headers, line
):
    """And no id: the path may hold any text, and anyone may have sent it."""
    del client.headers["Authorization"]
    await client.request(method, path, headers=headers)
    [found] = lines()
    assert (
        found.get("operation"),
        found["status"],
        found["problem"],
        found["resource"],
    ) == line
    assert found["principal"] == {"kind": "anyone", "address": "192.0.2.7"}


async def test_a_read_of_personal_data_of_all_has_a_line(client, lines, service):
    """Of the log, of a stream in it and of the changes."""
    await client.post("/users", json=ALICE)
    lines()
    client.headers["Authorization"] = "Bearer auditor"
    assert (await client.get("/admin/log")).status_code == 200
    assert (await client.get("/admin/streams/user-alice")).status_code == 200
    assert (await client.get("/admin/projections")).status_code == 200
    service.stopping.set()
    assert (await client.get("/changes")).status_code == 200
    found = lines()
    assert [(each["operation"], each["outcome"], each["resource"]) for each in found] == [
        ("read_log", "done", {}),
        ("read_stream", "done", {"stream_id": "user-alice"}),
        ("stream_changes", "done", {}),
    ]


async def test_administration_has_lines(client, lines):
    """With the projection."""
    await client.post("/admin/projections/views/pause")
    await client.delete("/admin/projections/views/builds/3")
    found = lines()
    assert [(each["operation"], each["resource"], each["problem"]) for each in found] == [
        ("pause_projection", {"name": "views"}, "forbidden"),
        ("retire_build", {"name": "views", "number": "3"}, "forbidden"),
    ]


def lured() -> Iterator[tuple[str, str, str]]:
    """Each operation with something in its path, and something else there that is no id."""
    jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
    for path, item in DOCUMENT["paths"].items():
        places = re.findall(r"{\w+}", path)
        for place, value, method in product(places, ("alice@example.com", jwt, new_key()), item):
            filled = path.replace(place, value)
            for other in places:
                filled = filled.replace(other, "1")
            yield method, filled, value


@pytest.mark.parametrize("token", ["administrator", "importer", "forged", ""])
async def test_no_address_and_no_token_is_written(client, lines, service, token):
    """Of any operation, whatever its path may hold; not all of it can be refused before."""
    service.stopping.set()
    client.headers["Authorization"] = f"Bearer {token}"
    requests = list(lured())
    assert len(requests) > 50
    for method, path, value in requests:
        await client.request(method, path, json={}, headers={"Accept": "*/*"})
        assert value not in json.dumps(lines()), f"{method} {path}"


async def test_a_document_may_have_any_key(client, lines):
    """One that is no id reaches the projection, and not the line."""
    client.headers["Authorization"] = "Bearer administrator"
    path = "/admin/projections/user_profiles/parked/alice@example.com/replay"
    assert (await client.post(path)).json()["code"] == "projection-not-found"
    [found] = lines()
    assert found["resource"] == {"name": "user_profiles"}


@pytest.mark.parametrize(
    "path", ["/users/alice@example.com", "/users/a b", "/nowhere/alice@example.com"]
)
async def test_what_is_no_id_is_not_written(client, lines, path):
    """A path may hold anything; only what fits its declaration is written."""
    await client.put(path, json={"name": "Alice"})
    [found] = lines()
    assert found["resource"] == {}
    assert "alice" not in json.dumps(found)
