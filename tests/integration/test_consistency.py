"""Reading one's writes, and conditional requests, over HTTP."""

import asyncio
import time

import pytest

from app.framework.http.consistency import encode_position
from app.host.settings import Role
from tests.integration.conftest import serving

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}
READS = ["/users/user123", "/users", "/users/user123/history", "/users/user123?as_of_version=1"]


def with_token(answer) -> dict[str, str]:
    """The headers of a read that must hold the write of `answer`."""
    return {"Consistency-Token": answer.headers["Consistency-Token"]}


async def test_every_read_holds_the_write_whose_token_it_is_sent(client):
    """At once, in every view."""
    for number in range(10):
        body = {**ALICE, "id": f"user{number}", "email": f"{number}@example.com"}
        written = await client.post("/users", json=body)
        headers = with_token(written)
        read = await client.get(f"/users/user{number}", headers=headers)
        assert (read.status_code, read.json()) == (200, written.json())
        listed = await client.get("/users", headers=headers)
        assert len(listed.json()["items"]) == number + 1
        written = await client.put(f"/users/user{number}", json={"name": f"Name {number}"})
        history = await client.get(f"/users/user{number}/history", headers=with_token(written))
        assert [each["version"] for each in history.json()["items"]] == [1, 2]
        past = await client.get(f"/users/user{number}?as_of_version=2", headers=with_token(written))
        assert past.json() == written.json()


async def test_reads_wait_across_processes(settings):
    """Written in one process, projected by another, read in a third."""

    def only(role: Role):
        return settings.model_copy(update={"roles": frozenset({role})})

    async with (
        serving(only(Role.COMMANDS)) as writer,
        serving(only(Role.QUERIES)) as reader,
        serving(only(Role.PROJECTOR)),
    ):
        written = await writer.post("/users", json=ALICE)
        for number in range(2, 30):
            read = await reader.get("/users/user123", headers=with_token(written))
            assert (read.status_code, read.json()) == (200, written.json())
            written = await writer.put("/users/user123", json={"name": f"Alice {number}"})


async def test_a_read_model_that_does_not_follow_is_never_silently_stale(settings):
    """With a token a read answers 503 when its time is up; without one, at once."""
    projecting = settings.model_copy(update={"roles": frozenset(Role)})
    async with serving(projecting) as client:
        before = await client.post("/users", json=ALICE)
        assert (await client.get("/users", headers=with_token(before))).status_code == 200
    stopped = settings.model_copy(
        update={"roles": frozenset({Role.COMMANDS, Role.QUERIES}), "consistency_timeout": 0.3}
    )
    async with serving(stopped) as client:
        written = await client.put("/users/user123", json={"name": "Alice Wonderland"})
        for path in READS:
            began = time.monotonic()
            read = await client.get(path, headers=with_token(written))
            assert 0.3 <= time.monotonic() - began < 0.8
            assert (read.status_code, read.json()["code"]) == (503, "read-model-behind")
            assert read.headers["Retry-After"] == "1"
            assert (await client.get(path)).status_code == 200
            assert (await client.get(path, headers=with_token(before))).status_code == 200


async def test_a_token_ahead_of_the_log_is_refused_at_once(client, settings):
    """400: no write was ever answered with it, so that waiting would be in vain."""
    await client.post("/users", json=ALICE)
    headers = {"Consistency-Token": encode_position(2)}
    for path, ahead in [
        *((path, headers) for path in READS),
        ("/changes", headers),
        ("/changes", {"Last-Event-ID": "2"}),
    ]:
        began = time.monotonic()
        read = await client.get(path, headers=ahead)
        assert (read.status_code, read.json()["code"]) == (400, "invalid-consistency-token")
        assert time.monotonic() - began < settings.consistency_timeout


async def test_a_token_that_another_process_has_just_answered_is_not_ahead_of_the_log(settings):
    """However little this process has seen of it: the log is looked at, and then waited for."""
    waiting = settings.model_copy(
        update={"roles": frozenset({Role.COMMANDS, Role.QUERIES}), "consistency_timeout": 0.5}
    )

    async def write_and_read(number: int) -> None:
        body = {**ALICE, "id": f"user{number}", "email": f"{number}@example.com"}
        written = await writer.post("/users", json=body)
        read = await reader.get(f"/users/user{number}", headers=with_token(written))
        assert (read.status_code, read.json()["code"]) == (503, "read-model-behind")

    async with serving(waiting) as writer, serving(waiting) as reader:
        await asyncio.gather(*(write_and_read(number) for number in range(50)))


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    "token", ["", "x", "AQ==", "é", encode_position(1) * 2, "Av" + encode_position(1)[2:]]
)
async def test_a_malformed_token_is_refused(client, path, token):
    """Even where there is nothing to wait for."""
    answer = await client.get(path, headers={"Consistency-Token": token.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-consistency-token")


async def test_a_profile_that_the_client_has_is_not_sent_again(client):
    """304 without a body, until there is another version."""
    written = await client.post("/users", json=ALICE)
    etag, headers = written.headers["ETag"], with_token(written)
    for condition in (etag, f"W/{etag}", f'"7", {etag}', "*"):
        same = await client.get("/users/user123", headers={**headers, "If-None-Match": condition})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    headers = with_token(await client.put("/users/user123", json={"bio": "Hi"}))
    newer = await client.get("/users/user123", headers={**headers, "If-None-Match": etag})
    assert (newer.status_code, newer.headers["ETag"]) == (200, '"2"')
    missing = await client.get("/users/nobody", headers={"If-None-Match": "*"})
    assert missing.status_code == 404


WRITES = [
    ("PATCH", "/users/user123", {"bio": "Hi"}),
    ("PUT", "/users/user123", {"bio": "Hi"}),
    ("POST", "/users/user123/deactivate", None),
    ("POST", "/users/user123/reactivate", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_for_another_version_changes_nothing(client, log, method, path, body):
    """412, whatever the write would do, even nothing."""
    await client.post("/users", json=ALICE)
    await client.put("/users/user123", json={"name": "Alice Wonderland"})
    for stale in ('"1"', '"3"', 'W/"2"', '"x"'):
        answer = await client.request(method, path, json=body, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "version-mismatch")
        assert "The version is 2" in answer.json()["detail"]
    assert await log.head() == 2
    for fresh in ('"2"', "*"):
        answer = await client.request(method, path, json=body, headers={"If-Match": fresh})
        assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_malformed_condition_is_refused(client, log, method, path, body):
    """A client that gets quotes wrong must not have its condition ignored."""
    await client.post("/users", json=ALICE)
    for malformed in ("1", '"1', '"1", "2"', ""):
        answer = await client.request(method, path, json=body, headers={"If-Match": malformed})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == ["header/If-Match"]
    assert await log.head() == 1


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_condition_on_nobody_is_not_found(client, method, path, body):
    """There is no version to be at."""
    path = path.replace("user123", "nobody")
    answer = await client.request(method, path, json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (404, "user-not-found")
