"""HTTP as the server speaks it, on a socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from app.host.server.protocol import Protocol
from tests.unit.api.service import MemoryService, application

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def root_path() -> str:
    """The prefix that a proxy strips; a test may ask for another."""
    return ""


@pytest.fixture
async def server(root_path) -> AsyncIterator[uvicorn.Server]:
    """A server of the application."""
    config = uvicorn.Config(
        application(MemoryService()),
        http=Protocol,
        lifespan="off",
        log_config=None,
        port=0,
        root_path=root_path,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server
    await server.shutdown()


@pytest.fixture
def address(server) -> tuple[str, int]:
    """Where it listens."""
    return server.servers[0].sockets[0].getsockname()


async def answer_to(address, *pieces: bytes) -> tuple[int, dict[str, Any]]:
    """The status and body that answer what is sent, until the server hangs up."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status, *headers = head.decode().split("\r\n")
    names = {each.partition(": ")[0]: each.partition(": ")[2] for each in headers}
    assert names["content-type"] == "application/problem+json"
    assert (names["connection"], int(names["content-length"])) == ("close", len(body))
    assert (names["cache-control"], names["x-content-type-options"]) == ("no-store", "nosniff")
    problem = json.loads(body)
    assert names["x-request-id"] == problem["request_id"]
    return int(status.split()[1]), problem


@pytest.mark.parametrize(
    "sent", [b"\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"]
)
async def test_what_is_not_http_is_answered_with_a_problem(address, sent):
    """And the connection is closed."""
    status, problem = await answer_to(address, sent)
    assert (status, problem["code"]) == (400, "malformed-request")


@pytest.mark.parametrize("after", [b"\x00\x01\r\n\r\n", b"x" * 100_000], ids=["no", "endless"])
async def test_a_request_is_answered_whatever_comes_after_it(address, after):
    """It may have been carried out, so its client is told; then the connection is closed."""
    body = b'{"id": "alice", "name": "Alice", "email": "alice@example.com"}'
    head = b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head + length + body + after)
    said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert said.startswith(b"HTTP/1.1 201 ")
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", [b"/users", b"/users/nobody", b"/problems", b"/docs", b"/nothing"])
async def test_an_answer_to_head_has_no_content(address, path):
    """Or the client would take it for the next answer on the connection."""
    heads = [b"HEAD " + path, b"GET " + path, b"GET /health/live"]
    reader, writer = await asyncio.open_connection(*address)
    writer.write(
        b"".join(each + b" HTTP/1.1\r\nHost: x\r\nX-Request-Id: x\r\n\r\n" for each in heads)
    )
    async with asyncio.timeout(5):
        asked, read = [await reader.readuntil(b"\r\n\r\n") for _ in range(2)]
    writer.close()
    assert asked.split(b"\r\n")[0] in {b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found"}
    assert sorted(asked.split(b"\r\n")) == sorted(read.split(b"\r\n"))


async def test_an_answer_without_content_comes_at_once(address):
    """The connection stays open, and nothing follows."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        assert b" 200 OK\r\n" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def sent_until_closed(address, begin: bytes, piece: bytes) -> tuple[int, bytes]:
    """How much the server takes of endless pieces before it hangs up, and what it said."""
    reader, writer = await asyncio.open_connection(*address)
    said = b""

    async def listen() -> None:
        nonlocal said
        with contextlib.suppress(ConnectionError):
            while heard := await reader.read(1000):
                said += heard

    listening = asyncio.create_task(listen())
    writer.write(begin)
    sent = 0
    while not listening.done() and sent < 50 * Protocol.LIMIT:
        writer.write(piece)
        sent += len(piece)
        await asyncio.sleep(0)
    writer.close()
    async with asyncio.timeout(5):
        await listening
    return sent, said


@pytest.mark.parametrize("piece", [b"x" * 1000, b"X: y\r\n" * 200], ids=["one", "many"])
async def test_a_head_without_end_is_not_kept(address, piece):
    """One header or many, in small pieces: the server hangs up when it has heard enough."""
    begin = b"GET /health/live HTTP/1.1\r\nX: "
    sent, said = await sent_until_closed(address, begin, piece)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert sent < 3 * Protocol.LIMIT


async def test_trailers_without_end_are_not_kept(address):
    """They come after the body, whose length is counted elsewhere."""
    begin = (
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    )
    sent, said = await sent_until_closed(address, begin, b"T" * 1000)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert sent < 3 * Protocol.LIMIT


async def test_a_long_body_of_small_pieces_is_no_head(address):
    """Chunks of a byte each take several bytes to send; the whole is within the limits."""
    body = b'{"name": "' + b"x" * 60_000 + b'"}'
    chunks = b"".join(b"1\r\n%c\r\n" % each for each in body) + b"0\r\n\r\n"
    head = (
        b"PUT /users/nobody HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    status, problem = await answer_to(address, head, chunks)
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/name")


async def test_a_client_that_takes_no_answer_does_not_keep_the_server_from_stopping(
    server, address, monkeypatch
):
    """More has been sent to it than its machine keeps, and it reads none of it."""
    monkeypatch.setattr(Protocol, "PATIENCE", 0.1)
    _, writer = await asyncio.open_connection(*address, limit=1)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
    async with asyncio.timeout(10):
        while not any(each.flow.write_paused for each in server.server_state.connections):  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.01)
        await server.shutdown()
    assert not server.server_state.connections
    writer.close()


@pytest.mark.parametrize("root_path", ["/api"])
async def test_refusals_of_the_server_lead_back_through_the_proxy(address):
    """Their type has the prefix that it strips, as has that of every other problem."""
    _, problem = await answer_to(address, b"GET\r\n\r\n")
    assert problem["type"] == "/api/problems/malformed-request"


@pytest.mark.parametrize("root_path", ["/api"])
async def test_a_prefix_that_is_still_there_is_not_stripped_again(address):
    """Else /api/api/users would pass by the rules that a proxy has for paths."""
    host, port = address[:2]
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False) as client:
        assert (await client.get("/users")).status_code == 200
        assert (await client.get("/api/users")).status_code == 404
