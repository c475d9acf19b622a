"""What one request may cost: none within the limits holds the event loop for long."""

import time

import pytest

from app.contexts.users.domain import values
from app.framework.http.application import BODY_LIMIT
from tests.unit.api import nasty
from tests.unit.api.service import MemoryService, application

pytestmark = pytest.mark.unmeasured  # which would cost more than the requests

HELD_SECONDS = 0.05
"""What no request may cost, all its steps together, of the processor."""

TRIES = 3
"""How often one may be over that, since the collector of garbage may come in between."""

JSON = {"content-type": "application/json"}


@pytest.fixture
async def api():
    """An application with a user, every part of which has been used once."""
    service = MemoryService()
    api = application(service)
    alice = nasty.body_with(id="alice", name="Alice", email="alice@example.com")
    assert (await held(api, "POST", "/users", body=alice))[0] == 201
    await service.project()
    for method, path in (("GET", "/users"), ("PUT", "/users/alice"), ("PATCH", "/nowhere")):
        await held(api, method, path, body=b"{}")
    return api


async def held(api, method, path, *, query="", headers=JSON, body=b"") -> tuple[int, float]:
    """The status of the answer to a request, and what it cost of the processor, in seconds."""
    message = {"type": "http.request", "body": body, "more_body": False}
    statuses: list[int] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"diptych")]
        + [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }

    async def receive():
        return message

    async def send(sent):
        statuses.extend([sent["status"]] if "status" in sent else [])

    began = time.thread_time()
    await api(scope, receive, send)
    return statuses[0], time.thread_time() - began


async def slow_ones(api, method, path, requests) -> dict[str, float]:
    """Those of `requests` that cost more than they may, and how much."""
    slow = {}
    for name, request in requests.items():
        for _ in range(TRIES):
            status, seconds = await held(api, method, path, **request)
            assert status < 500, name
            if seconds < HELD_SECONDS:
                break
        else:
            slow[name] = seconds
    return slow


@pytest.mark.parametrize(("method", "path"), [("POST", "/users"), ("PUT", "/users/alice")])
async def test_no_body_holds_the_loop(api, method, path):
    """Whatever is in it, within the limit."""
    assert [name for name, body in nasty.BODIES.items() if len(body) > BODY_LIMIT] == []
    requests = {name: {"body": body} for name, body in nasty.BODIES.items()}
    assert await slow_ones(api, method, path, requests) == {}


async def test_the_largest_body_there_can_be_is_within_the_limit(api):
    """All members as long as they may be, in their longest form, each character as an escape."""
    four_for_one = "\u03b1\u0313\u0300\u0345"
    largest = {
        "id": "x" * 64,
        "name": four_for_one * values.NAME_MAX,
        "email": four_for_one * 60 + "@" + "a" * 60 + ".example.com",
        "avatar_url": "https://a/".ljust(values.URL_MAX, "x"),
        "bio": four_for_one * values.BIO_MAX,
    }
    members = [f'"{name}":"{escaped(text)}"' for name, text in largest.items()]
    body = "{" + ",".join(members) + "}"

    assert 40_000 < len(body) < BODY_LIMIT
    assert (await held(api, "POST", "/users", body=body.encode()))[0] == 201


def escaped(text: str) -> str:
    """`text` of the Basic Multilingual Plane in JSON's longest form."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("path", ["/users", "/users/alice", "/users/alice/history"])
async def test_no_query_holds_the_loop(api, path):
    """Parameters that nothing asked for included."""
    requests = {name: {"query": query} for name, query in nasty.QUERIES.items()}
    assert await slow_ones(api, "GET", path, requests) == {}


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b'{"name":"Alice"}')])
async def test_no_header_holds_the_loop(api, method, body):
    """Of those that are read, and of those that are not."""
    requests = {
        name: {"headers": {**JSON, **headers}, "body": body}
        for name, headers in nasty.HEADERS.items()
    }
    assert await slow_ones(api, method, "/users/alice", requests) == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_path_holds_the_loop(api, method):
    """Whether it leads to something or not."""
    slow = [await slow_ones(api, method, path, {name: {}}) for name, path in nasty.PATHS.items()]
    assert slow == [{}] * len(nasty.PATHS)
