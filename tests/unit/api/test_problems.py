"""Every refusal is a problem document, whoever refuses."""

import logging
import re
from typing import NoReturn

import httpx
import pytest

from app.contexts.users.domain.errors import (
    EmailTaken,
    UserAlreadyExists,
    UserIsDeactivated,
    UserNotFound,
)
from app.contexts.users.queries.get_user_profile import GetUserProfile
from app.framework.eventsourcing import Claim, ClaimTaken, VersionConflict, VersionMismatch
from app.framework.mediator import Mediator
from app.framework.observability.outages import end_outages
from app.framework.projections import InvalidCursor
from app.framework.request import RequestContext
from app.framework.storage import Overloaded, StorageNotReady, StorageTimeout, StorageUnavailable
from tests.unit.api.service import MemoryService, application


async def ask(error: Exception, **options) -> httpx.Response:
    """The answer to GET /users/user123 when its handler raises `error`."""

    async def fail(_: GetUserProfile, __: RequestContext) -> NoReturn:
        raise error

    service = MemoryService()
    service.mediator = Mediator()
    service.mediator.register(GetUserProfile.handled_by(fail))
    transport = httpx.ASGITransport(application(service, **options))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        return await client.get("/users/user123", headers={"X-Request-Id": "r-1"})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UserNotFound("user123"), 404, "user-not-found"),
        (UserAlreadyExists("user123"), 409, "user-already-exists"),
        (EmailTaken("alice@example.com"), 409, "email-taken"),
        (UserIsDeactivated("user123"), 409, "user-deactivated"),
        (VersionMismatch("user-user123", 3, 4), 412, "version-mismatch"),
        (VersionConflict("user-user123", 3, 4), 409, "conflict"),
        (InvalidCursor("The cursor is malformed."), 400, "invalid-cursor"),
        (Overloaded("appends", 10), 503, "overloaded"),
        (StorageUnavailable("PostgreSQL", "refused by 10.0.0.7"), 503, "storage-unavailable"),
        (StorageTimeout("MongoDB", "a read exceeded its limit"), 503, "storage-unavailable"),
        (StorageNotReady("revision 3 is missing"), 503, "storage-unavailable"),
        (RuntimeError("the password is hunter2"), 500, "internal-error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_what_a_handler_raises(error, status, code):
    """Each error has its status and code, in a document with every member RFC 9457 names."""
    answer = await ask(error)

    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == "r-1"
    assert problem.pop("title")
    assert problem.pop("detail")
    assert problem == {
        "type": f"/problems/{code}",
        "status": status,
        "instance": "/users/user123",
        "code": code,
        "request_id": "r-1",
    }


async def test_a_refusal_speaks_in_the_words_of_the_domain():
    """The sentence of the error reaches the client as it is."""
    assert (await ask(UserNotFound("nobody"))).json()["detail"] == "User with ID nobody not found."


@pytest.mark.parametrize(
    "error",
    [
        StorageUnavailable("PostgreSQL", "refused by 10.0.0.7"),
        StorageNotReady("10.0.0.7 lacks revision 3"),
        VersionConflict("user-10.0.0.7", 3, 4),
        Overloaded("10.0.0.7", 10),
        RuntimeError("10.0.0.7 said no"),
        ClaimTaken(Claim("email", "10.0.0.7")),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_internals_are_told(error):
    """Addresses, streams and exceptions stay inside."""
    answer = await ask(error)

    assert "10.0.0.7" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("error", [Overloaded("appends", 10), StorageUnavailable("MongoDB", "")])
async def test_what_may_pass_says_when_to_try_again(error):
    """A 503 carries Retry-After in whole seconds."""
    assert re.fullmatch(r"\d+", (await ask(error)).headers["Retry-After"])


async def test_an_unavailable_storage_is_logged_with_its_reason(caplog):
    """The reason, which the client is not told, is there for the operator."""
    end_outages()
    await ask(StorageUnavailable("PostgreSQL", "refused by 10.0.0.7"))

    assert "refused by 10.0.0.7" in caplog.text


async def test_an_unexpected_error_is_logged_with_its_traceback(caplog):
    """Once, as an error, with where it came from."""
    await ask(RuntimeError("the reason"))

    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "the reason" in caplog.text


@pytest.mark.parametrize("url", ["/users/who%3F", "/who%23?x=1", "/a%5Cb%25", "/\u00fc?x=\u00fc"])
async def test_the_instance_is_the_path_that_was_asked_for(client, url):
    """In the escapes that a path needs, each once, whatever is in it."""
    asked = httpx.URL(f"http://diptych{url}")
    assert (await client.get(asked)).json()["instance"] == asked.raw_path.decode().partition("?")[0]


async def test_a_query_that_is_not_text_is_refused_like_others(service):
    """A server may let any byte through."""
    app = application(service)

    async def as_bytes(scope, receive, send):
        await app({**scope, "query_string": b"limit=\xff"}, receive, send)

    transport = httpx.ASGITransport(as_bytes)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        assert (await client.get("/users")).json()["errors"][0]["pointer"] == "query/limit"


async def test_a_message_that_the_roles_do_not_serve():
    """421, and the detail says which roles the process has."""
    service = MemoryService()
    service.mediator, service.roles = Mediator(), frozenset({"projector", "queries"})
    transport = httpx.ASGITransport(application(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        answer = await client.post("/users/user123/deactivate")

    assert (answer.status_code, answer.json()["code"]) == (421, "misdirected-request")
    assert "the roles projector, queries" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/users/", "/users/a/b", "/users/a%2Fb"])
async def test_an_unknown_path(client, path):
    """404, and no redirect to a path much like it."""
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/users", {"GET", "HEAD", "POST"}),
        ("DELETE", "/users/user123", {"GET", "HEAD", "PATCH", "PUT"}),
        ("GET", "/users/user123/deactivate", {"POST"}),
        ("POST", "/health/live", {"GET", "HEAD"}),
        ("BREW", "/projections", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_the_path_does_not_take(client, method, path, allowed):
    """405, and Allow lists all that it takes, not only those of one route."""
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed
