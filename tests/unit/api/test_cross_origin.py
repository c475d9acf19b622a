"""What pages of other origins may do, as CORS_ORIGINS says."""

from typing import NoReturn

import httpx
import pytest

from app.contexts.users.queries.get_user_profile import GetUserProfile
from app.framework.mediator import Mediator
from app.framework.request import RequestContext
from app.framework.storage import StorageUnavailable
from tests.unit.api.conftest import ALICE
from tests.unit.api.service import application

PAGE = "https://app.example.com"
EXPOSED = {
    "ETag",
    "Location",
    "Consistency-Token",
    "Idempotency-Replayed",
    "Retry-After",
    "RateLimit",
    "WWW-Authenticate",
    "X-Request-Id",
}
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, if-match",
}


@pytest.fixture
def origins() -> frozenset[str]:
    """The origins that are allowed; a test may have others."""
    return frozenset({PAGE, "http://localhost:5173"})


@pytest.fixture
async def client(service, origins):
    """A client of an API that pages of `origins` may call."""
    transport = httpx.ASGITransport(application(service, origins=origins))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


def allowed(answer) -> tuple[str | None, bool]:
    """The origin that may read it, and whether it may read our headers."""
    exposed = set(answer.headers.get("Access-Control-Expose-Headers", "").split(", "))
    return answer.headers.get("Access-Control-Allow-Origin"), exposed >= EXPOSED


async def test_a_page_may_write_and_read_what_the_answer_says(client, service):
    """Its origin is named, and the headers that are not JSON's are exposed."""
    written = await client.post("/users", json=ALICE, headers={"Origin": PAGE})
    await service.project()
    read = await client.get("/users/user123", headers={"Origin": PAGE})
    for answer, status in ((written, 201), (read, 200)):
        assert (answer.status_code, *allowed(answer)) == (status, PAGE, True)
        assert "Origin" in answer.headers["Vary"].split(", ")
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/users/user123", "/users/user123/deactivate", "/nowhere"])
async def test_preflights_are_answered(client, path):
    """Whatever the path; the headers that are asked for are allowed, and the answer has an id."""
    answer = await client.options(path, headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    asked = PREFLIGHT["Access-Control-Request-Headers"]
    assert answer.headers["Access-Control-Allow-Headers"] == asked
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Access-Control-Request-Method": "BREW"},
    ],
)
async def test_a_preflight_that_is_refused_is_a_problem(client, changes):
    """With no header that would allow anything."""
    answer = await client.options("/users", headers={**PREFLIGHT, **changes})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin-not-allowed")
    assert answer.json()["instance"] == "/users"
    assert [each for each in answer.headers if each.startswith("access-control-")] == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "/nowhere", {}, "not-found"),
        ("GET", "/users/a%2Fb", {}, "not-found"),
        ("DELETE", "/users", {}, "method-not-allowed"),
        ("POST", "/users", {}, "invalid-request"),
        ("POST", "/users", {"Content-Length": "99999999"}, "payload-too-large"),
        ("GET", "/users", {"X": "x" * 40_000}, "headers-too-large"),
        ("GET", "/users/user123", {}, "storage-unavailable"),
        ("GET", "/users", {}, "misdirected-request"),
    ],
)
async def test_a_page_can_read_why_it_was_refused(service, client, method, path, headers, code):
    """Whoever refuses: else it would see no more than that the network failed."""

    async def fail(_: GetUserProfile, __: RequestContext) -> NoReturn:
        raise StorageUnavailable("MongoDB", "")

    if code in {"storage-unavailable", "misdirected-request"}:
        service.mediator = Mediator()
        service.mediator.register(GetUserProfile.handled_by(fail))
        transport = httpx.ASGITransport(application(service, origins=frozenset({PAGE})))
        client = httpx.AsyncClient(transport=transport, base_url="http://diptych")
    answer = await client.request(method, path, headers={"Origin": PAGE, **headers})
    assert (answer.json()["code"], *allowed(answer)) == (code, PAGE, True)


async def test_a_page_can_read_that_too_much_is_asked_for(service):
    """The refusal of what is too much is no exception."""
    api = application(service, origins=frozenset({PAGE}))
    api.state.places.taken = api.state.places.bound
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        answer = await client.get("/users", headers={"Origin": PAGE})
    assert (answer.json()["code"], *allowed(answer)) == ("overloaded", PAGE, True)


async def test_other_pages_can_read_nothing(client):
    """Their browsers find no leave in the answer. A cache keeps the two apart."""
    for headers in ({"Origin": "https://evil.example"}, {}):
        answer = await client.get("/users", headers=headers)
        assert (answer.status_code, allowed(answer)[0]) == (200, None)
        assert "Origin" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize("origins", [frozenset()])
async def test_no_origin_is_allowed_unless_it_is_listed(client):
    """Without the setting no answer has anything of CORS, and OPTIONS is no method."""
    read = await client.get("/users", headers={"Origin": PAGE})
    preflight = await client.options("/users", headers=PREFLIGHT)
    assert (read.status_code, preflight.status_code) == (200, 405)
    for answer in (read, preflight):
        assert [each for each in answer.headers if each.startswith("access-control-")] == []
