"""Clients that close their side of a connection when they have sent what they had to."""

import asyncio
from typing import Any

import pytest

from tests.unit.serving import Echo, address_of, answers_to, serving

POST = b"POST /first HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def echo() -> Echo:
    """What is served."""
    return Echo()


@pytest.fixture
async def server(echo):
    """What serves it."""
    async with serving(echo) as server:
        yield server


async def input_ended(server: Any) -> None:
    """Return once the server knows that its client has closed its side."""
    while not any(each.transport.input_ended for each in server.server_state.connections):  # noqa: ASYNC110 - a server's state
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [GET, POST + b"Content-Length: 1\r\n\r\na", GET * 3])
async def test_whole_requests_are_answered(server, echo, sent):
    """All of them, though the client's side is closed by then."""
    sent = sent.replace(b"/first", b"/late")
    answering = asyncio.create_task(answers_to(address_of(server), sent, half_close=True))
    async with asyncio.timeout(5):
        await input_ended(server)
        echo.release.set()
        answers = await answering
    assert [each.status for each in answers] == [200] * sent.count(b"HTTP/1.1")
    assert [each.closes for each in answers] == [*[False] * (len(answers) - 1), True]


@pytest.mark.parametrize(
    "sent",
    [b"GET", POST, POST + b"Content-Length: 2\r\n\r\na", CHUNKED + b"1\r\na\r\n"],
)
async def test_half_a_request_is_refused(server, echo, sent):
    """With a problem."""
    [answer] = await answers_to(address_of(server), sent, half_close=True)
    assert answer.problem["code"] == "malformed-request"
    assert "ends before" in answer.problem["detail"]
    assert not echo.seen


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_answer_under_way_is_sent_whole(method):
    """The client closes its side after the head was sent, before the body follows."""
    head_is_sent, is_closed = asyncio.Event(), asyncio.Event()

    async def slow(_: object, __: object, send: Any) -> None:
        length = (b"content-length", b"4")
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        head_is_sent.set()
        await is_closed.wait()
        await send({"type": "http.response.body", "body": b"body"})

    async with serving(slow) as server, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await head_is_sent.wait()
        writer.write_eof()
        await input_ended(server)
        is_closed.set()
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\nbody" if method == "GET" else b"\r\n\r\n")


async def test_no_request_is_not_answered(server):
    """Who opens a connection and closes it, to see whether it can, gets nothing."""
    assert not await answers_to(address_of(server), b"", half_close=True)
    assert not await answers_to(address_of(server), b"\r\n", half_close=True)


async def test_a_read_that_takes_long_is_taken_for_abandoned(server, echo):
    """Its client may have gone, and it can be sent again."""
    assert not await answers_to(
        address_of(server), GET.replace(b"/first", b"/slow"), half_close=True
    )
    async with asyncio.timeout(5):
        await echo.disconnected.wait()
