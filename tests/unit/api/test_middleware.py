"""What happens around every request, whatever it is."""

import asyncio
import json
from typing import Any, NoReturn
from uuid import UUID

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.framework.http.application import BODY_LIMIT, HEADER_LIMIT
from app.framework.http.request_id import internal_id_of, request_id_of
from app.framework.request import logged_request_id
from tests.unit.api.conftest import ALICE
from tests.unit.api.edges import HTTP_1_0, edge

JSON = {"Content-Type": "application/json"}


def client_of(app) -> httpx.AsyncClient:
    """A client of a bare ASGI application."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://diptych")


class Echo:
    """Reads the whole body and answers its length; notes what is bound meanwhile."""

    def __init__(self) -> None:
        self.request_id, self.internal_id = "", ""
        self.logged: tuple[str, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.request_id, self.internal_id = request_id_of(scope), internal_id_of(scope)
        self.logged = logged_request_id.get()
        length, more = 0, True
        while more:
            message = await receive()
            length += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(length).encode()})


@pytest.mark.parametrize("request_id", ["r", "x" * 128, "!~|{}", "01977c2a-6a3c"])
async def test_a_request_keeps_its_id(request_id):
    """It is echoed, and logged beside one of ours: the next request may have the same."""
    echo = Echo()
    async with client_of(edge(echo)) as client:
        answer = await client.get("/", headers={"X-Request-Id": request_id})

    assert answer.headers.get_list("X-Request-Id") == [request_id]
    assert echo.request_id == request_id
    assert UUID(echo.internal_id).version == 7
    assert echo.logged == (request_id, echo.internal_id)


@pytest.mark.parametrize(
    "request_id",
    [
        *(None, b"", b"x" * 129, b"a b", b"a\tb", b"\xc3\xa9", b"\x7f"),
        *(b"of-diptych_0a1b2c3d4e_5f", b"Bearer:eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    ],
)
async def test_a_request_without_an_acceptable_id_gets_one(request_id):
    """It is a new UUID, and whatever came instead is nowhere in the answer."""
    headers = {} if request_id is None else {b"X-Request-Id": request_id}
    async with client_of(edge(Echo())) as client:
        answer = await client.get("/", headers=headers)

    (made,) = answer.headers.get_list("X-Request-Id")
    assert UUID(made).version == 7


async def test_the_id_ends_with_its_request():
    """Nothing of it is left for what comes after in the same context."""
    async with client_of(edge(Echo())) as client:
        await client.get("/", headers={"X-Request-Id": "mine"})

    assert logged_request_id.get() is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health/live", b""),
        ("GET", "/nowhere", b""),
        ("DELETE", "/users", b""),
        ("POST", "/users", b"{"),
        ("POST", "/users", b"x" * (BODY_LIMIT + 1)),
        ("GET", "/users/nobody", b""),
        ("GET", "/openapi.json", b""),
    ],
)
async def test_every_answer_names_its_request(client, method, path, body):
    """Header and problem agree, whoever answers."""
    headers = {**JSON, "X-Request-Id": "mine"}
    answer = await client.request(method, path, content=body, headers=headers)

    assert answer.headers["X-Request-Id"] == "mine"
    if answer.is_error:
        assert answer.json()["request_id"] == "mine"


async def test_the_id_is_recorded_with_the_events(client, service):
    """An event can be traced to the request that led to it."""
    await client.post("/users", json=ALICE, headers={"X-Request-Id": "mine"})

    (recorded,) = await service.log.read(after=0, limit=10)
    assert recorded.metadata.correlation_id == "mine"


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/users/" + "x" * 100, "X", ""),
        ("/?" + "x" * 100, "X", ""),
        ("/", "X" * 100, ""),
        ("/", "X", "x" * 100),
    ],
)
async def test_a_head_may_be_as_long_as_the_limit(path, name, value):
    """Wherever its bytes are; then it is refused, and nobody sees the request."""
    echo = Echo()
    async with client_of(echo) as bare:
        request = bare.build_request("GET", path, headers={name: value})
    length = sum(len(each) + len(of) for each, of in request.headers.raw)
    length += len(request.url.raw_path) - ("?" in path)
    async with client_of(edge(echo, head_limit=length)) as client:
        assert (await client.send(request)).status_code == 200
    async with client_of(edge(echo, head_limit=length - 1)) as client:
        echo.request_id = ""
        answer = await client.send(request)
        assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")
    assert echo.request_id == ""


async def test_the_service_takes_heads_of_some_length(client):
    """Longer than any that a client of ours needs."""
    for length, status in ((HEADER_LIMIT - 500, 200), (HEADER_LIMIT, 431)):
        answer = await client.get("/health/live", headers={"X": "x" * length})
        assert answer.status_code == status


async def test_a_body_may_be_as_long_as_the_limit():
    """The last byte that is allowed comes through, declared or not."""

    async def chunks():
        yield b"x" * 6
        yield b"x" * 4

    async with client_of(edge(Echo(), body_limit=10)) as client:
        assert (await client.post("/", content=b"x" * 10)).text == "10"
        assert (await client.post("/", content=chunks())).text == "10"


async def test_a_body_declared_too_long_is_refused_unread():
    """The answer is 413 before a single byte was asked for."""

    async def never() -> NoReturn:
        pytest.fail("the body was read")

    sent = []

    async def send(message) -> None:
        sent.append(message)

    scope = {**HTTP_1_0, "headers": [(b"content-length", b"11")]}
    await edge(Echo(), body_limit=10)(scope, never, send)

    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["code"] == "payload-too-large"


@pytest.mark.parametrize("length", [b"", b"many", b"-1", b"9" * 5000])
async def test_a_length_that_is_no_length_is_not_believed(length):
    """Then the bytes are counted."""
    taken = []

    async def receive():
        taken.append(b"x" * 6)
        return {"type": "http.request", "body": taken[-1], "more_body": len(taken) < 9}

    scope = {**HTTP_1_0, "headers": [(b"content-length", length)]}
    answered = []

    async def send(message) -> None:
        answered.append(message)

    await edge(Echo(), body_limit=10)(scope, receive, send)
    assert answered[0]["status"] == 413
    assert len(taken) == 2


@pytest.mark.parametrize(
    "path", ["/users", "/users/user123/deactivate", "/health/live", "/nowhere"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_long_body_is_refused_anywhere(client, method, path):
    """413 by its Content-Length, also where no body is expected."""
    answer = await client.request(method, path, content=b"x" * (BODY_LIMIT + 1), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload-too-large")


async def test_a_long_body_in_chunks_is_refused_early(client, service):
    """413 as soon as the limit is passed; the rest is not read, and nothing is recorded."""
    sent = 0

    async def chunks():
        nonlocal sent
        for _ in range(64):
            sent += 65_536
            yield b" " * 65_536

    answer = await client.post("/users", content=chunks(), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload-too-large")
    assert sent <= BODY_LIMIT + 2 * 65_536
    assert await service.log.head() == 0


async def test_an_error_after_the_answer_has_begun_goes_on():
    """It is too late for another answer; the server must cut the connection."""

    async def break_off(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    async with client_of(edge(break_off)) as client:
        with pytest.raises(RuntimeError, match="in the middle"):
            await client.get("/")


async def test_a_request_that_the_server_gives_up_is_answered(caplog):
    """It stops, and the rest of a body has not come: a problem says so, and nothing is logged."""
    begun = asyncio.Event()

    async def endless():
        yield b"{"
        begun.set()
        await asyncio.Event().wait()

    async with client_of(edge(Echo())) as client:
        # The transport awaits the application in the task of the request.
        asking = asyncio.create_task(client.post("/users", content=endless()))
        await begun.wait()
        asking.cancel()
        answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert not caplog.records


async def test_what_is_not_http_passes():
    """Lifespan and websocket scopes go through as they are."""
    passed = []

    async def app(scope, receive, send):
        passed.append((scope, receive, send))

    given: tuple[Any, Any, Any] = ({"type": "lifespan"}, object(), object())
    await edge(app)(*given)

    assert passed == [given]
