"""A server that stops ends its connections in order."""

import asyncio
import random

import pytest
import uvicorn

from app.host.server.protocol import Protocol
from tests.unit.serving import (
    SERVER_WAITS_SECONDS,
    Address,
    Echo,
    address_of,
    read_answer,
    serving,
)

GET = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def echo() -> Echo:
    """What is served."""
    return Echo()


@pytest.fixture
async def server(echo):
    """What serves it; the test stops it."""
    async with serving(echo) as server:
        yield server


async def requests_until_told(address: Address) -> int:
    """How many requests were answered on one connection, until an answer says it is the last."""
    reader, writer = await asyncio.open_connection(*address)
    answered = 0
    try:
        while True:
            await asyncio.sleep(random.uniform(0, 0.1))
            writer.write(GET)
            answer = await read_answer(reader)
            answered += 1
            if answer.closes:
                assert not await reader.read()
                return answered
    finally:
        writer.close()


async def test_every_client_is_told_of_its_last_answer_at_a_stop(server, echo):
    """No request on a connection that was used before is reset, or left without an answer."""
    clients = [asyncio.create_task(requests_until_told(address_of(server))) for _ in range(100)]
    async with asyncio.timeout(10):
        while len(echo.seen) < 300:  # noqa: ASYNC110 - what the clients have sent
            await asyncio.sleep(0.01)
        await server.shutdown()
        answered = await asyncio.gather(*clients)
    assert sum(answered) == len(echo.seen)


async def connected(server: uvicorn.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that was used once, and is idle."""
    reader, writer = await asyncio.open_connection(*address_of(server))
    writer.write(GET)
    assert not (await read_answer(reader)).closes
    return reader, writer


async def test_a_request_that_crosses_the_end_of_its_connection_is_not_reset(server, monkeypatch):
    """Its client finds the connection closed, and knows that it can send the request again."""
    monkeypatch.setattr(Protocol, "LAST_REQUEST", 0.0)
    reader, writer = await connected(server)
    async with asyncio.timeout(5):
        stopping = asyncio.create_task(server.shutdown())
        while not reader.at_eof():  # noqa: ASYNC110 - what the server does
            await asyncio.sleep(0)
        for _ in range(2):  # the second would find the reset that the first one brought
            writer.write(GET)
            await writer.drain()
            await asyncio.sleep(0.01)
        assert not await reader.read()
        writer.close()
        await stopping


async def test_what_is_pipelined_is_answered_and_the_last_says_so(server, echo):
    """An answer before it may not: its client would take the rest for lost."""
    reader, writer = await asyncio.open_connection(*address_of(server))
    late = GET.replace(b"/first", b"/late")
    writer.write(late * 3)
    async with asyncio.timeout(5):
        while not echo.seen:  # noqa: ASYNC110 - what the client has sent
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0)
        echo.release.set()
        answers = [await read_answer(reader) for _ in range(3)]
        assert [each.closes for each in answers] == [False, False, True]
        writer.close()
        await stopping


async def test_an_idle_connection_does_not_keep_a_server_from_stopping(server):
    """Not for longer than it has to send a last request, and to close its side."""
    begun = asyncio.get_running_loop().time()
    _, writer = await connected(server)
    _, silent = await asyncio.open_connection(*address_of(server))
    await server.shutdown()
    taken = asyncio.get_running_loop().time() - begun
    assert not server.server_state.connections
    assert taken < SERVER_WAITS_SECONDS
    for each in (writer, silent):
        each.close()
