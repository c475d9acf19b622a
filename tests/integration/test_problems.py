"""ErrorMappings over HTTP on real servers: problems throughout, and nothing recorded."""

import json

import pytest

JSON = {"Content-Type": "application/json"}
ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}
LIMIT = 64 * 1024

MALFORMED = [
    (b"", "#"),
    (b"{", "#"),
    (b"null", "#"),
    (b"[]", "#"),
    (b"\xff", "#"),
    (b"[" * 60_000, "#"),
    (b"{}", "#"),
    (b'{"name": null}', "#/name"),
    (b'{"name": 1}', "#/name"),
    (b'{"name": ""}', "#/name"),
    (b'{"name": " "}', "#/name"),
    (b'{"name": "a\\u0000b"}', "#/name"),
    (b'{"name": "a\\ud800b"}', "#/name"),
    (json.dumps({"name": "x" * 201}).encode(), "#/name"),
    (json.dumps({"name": "x" * 60_000}).encode(), "#/name"),
    (b'{"email": "alice"}', "#/email"),
    (b'{"email": null}', "#/email"),
    (b'{"email": "a\\u0000@example.com"}', "#/email"),
    (b'{"avatar_url": "http://example.com"}', "#/avatar_url"),
    (json.dumps({"avatar_url": "https://e.com/" + "x" * 2048}).encode(), "#/avatar_url"),
    (json.dumps({"bio": "x" * 1001}).encode(), "#/bio"),
    (b'{"bio": "\\u0000"}', "#/bio"),
    (b'{"bio": {"$ne": 1}}', "#/bio"),
    (b'{"name": "Valid", "role": "admin"}', "#/role"),
    (b'{"name": "Valid", "$set": {}}', "#/$set"),
]


async def test_malformed_updates_record_nothing(client, log):
    """422 with a pointer for each of them, by PATCH and PUT; the log stays as it was."""
    await client.post("/users", json=ALICE)
    wrong = {}

    for method in ("PATCH", "PUT"):
        for body, pointer in MALFORMED:
            answer = await client.request(method, "/users/user123", content=body, headers=JSON)
            found = (
                answer.status_code,
                answer.headers["Content-Type"],
                [each["pointer"] for each in answer.json().get("errors", [])],
            )
            if found != (422, "application/problem+json", [pointer]):
                wrong[method, body[:40]] = found

    assert wrong == {}
    assert await log.head() == 1


async def test_oversized_bodies_record_nothing(client, log):
    """413, whether the length is declared or the body comes in chunks."""

    async def chunks():
        for _ in range(32):
            yield b" " * (LIMIT // 16)

    padded = json.dumps(ALICE).encode() + b" " * LIMIT
    declared = await client.post("/users", content=padded, headers=JSON)
    chunked = await client.post("/users", content=chunks(), headers=JSON)

    for answer in (declared, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "payload-too-large")
    assert await log.head() == 0


async def test_a_body_just_within_the_limit_is_read(client):
    """Blanks after the document are part of the body, not of the profile."""
    body = json.dumps(ALICE).encode()

    answer = await client.post("/users", content=body.ljust(LIMIT), headers=JSON)

    assert answer.status_code == 201


async def test_unknown_paths_and_methods(client):
    """The framework's own refusals are problems, too."""
    unknown = await client.get("/nowhere")
    refused = await client.delete("/users/user123")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (refused.status_code, refused.json()["code"]) == (405, "method-not-allowed")
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "PUT"}


async def test_the_request_id_goes_all_the_way(client, log):
    """Into the answer, a problem, and the metadata of the event."""
    mine = {"X-Request-Id": "mine-1"}
    registered = await client.post("/users", json=ALICE, headers=mine)
    refused = await client.post("/users", json=ALICE, headers={"X-Request-Id": "mine-2"})
    made = await client.get("/users", headers={"X-Request-Id": "not acceptable"})

    (recorded,) = await log.read(after=0, limit=10)
    assert registered.headers["X-Request-Id"] == "mine-1"
    assert recorded.metadata.correlation_id == "mine-1"
    assert refused.headers["X-Request-Id"] == refused.json()["request_id"] == "mine-2"
    assert made.headers["X-Request-Id"] not in {"", "not acceptable"}


@pytest.mark.parametrize("path", ["/users?cursor=nonsense", "/users/user123/history?cursor=WzFd"])
async def test_a_cursor_that_is_made_up(client, path):
    """400, before any database is asked."""
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")
