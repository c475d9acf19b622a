"""What is sent without waiting for answers is read no faster than it is answered."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from app.framework.http.middleware import Places
from app.host.server.bounded import BoundedProtocol
from tests.unit.bounded import Busy, Server, until
from tests.unit.serving import Echo

GET = b"GET /users HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Server]]:
    """Starts servers that are stopped after the test."""
    async with contextlib.AsyncExitStack() as stack:

        def start(app, requests: int = 100, **bounds: int) -> Server:
            server = Server(app, Places(requests), **bounds)
            server.acceptor.start()
            stack.push_async_callback(server.close)
            return server

        yield start


def connection(server: Server) -> BoundedProtocol:
    """The only one there is."""
    [only] = server.protocols
    return only


@pytest.mark.parametrize("request_", [GET, POST])
async def test_requests_in_one_packet_are_begun_as_their_turn_comes(serve, request_):
    """Thousands in each of some packets once held the loop for seconds; all are answered."""
    server = serve(app := Busy())
    client = await server.client()
    client.send(request_ * 1000)
    client.writer.write_eof()
    await until(lambda: connection(server).pipeline)
    assert len(connection(server).pipeline) < 20
    app.let.set()
    for _ in range(1000):
        assert (await client.answer())[0] == 200
    assert await client.rest() == b""
    assert app.begun == 1000
    await until(lambda: not server.connections.open)
    assert (server.connections.held, server.connections.bodies) == (0, {})


async def test_a_client_that_takes_no_answers_is_read_no_further(serve):
    """Though refusals are made without a request to the application; it gets all of them."""
    server = serve(Busy(), requests=0, refused_a_second=1_000_000)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    client = await server.client()
    # Otherwise the kernel may make it as large as it takes for all answers.
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.send(GET * 4000)
    client.writer.write_eof()
    await until(lambda: connection(server).flow.write_paused)
    assert connection(server).transport.get_write_buffer_size() < 100_000
    assert (await client.rest()).count(b"HTTP/1.1 503") == 4000
    await until(lambda: not server.connections.open)
    assert server.connections.held == 0


async def test_what_is_refused_is_read_on_in_its_time_in_one_packet_too(serve):
    """The rest of the packet waits as the packets behind it do."""
    server = serve(Busy(), requests=0, refused_a_second=300)
    client = await server.client()
    client.send(GET * 300)
    await until(lambda: server.connections.held)
    for _ in range(300):
        assert (await client.answer())[0] == 503


async def test_what_waits_unread_counts_as_kept(serve):
    """At the bound of what is kept its connection is closed once what it had begun is answered."""
    server = serve(app := Busy(), bytes_bound=10_000)
    client = await server.client()
    client.send(GET * 1000)
    await until(lambda: app.begun)
    await until(lambda: connection(server).cycle.keep_alive is False)
    begun = len(connection(server).pipeline) + 1
    app.let.set()
    answers = (await client.rest()).count(b"HTTP/1.1 200")
    assert answers == begun < 20


async def test_a_head_that_was_refused_is_kept_no_longer(serve):
    """Else refusals alone would come to the bound in time, and cost slow clients their bodies."""
    server = serve(Busy(), requests=0)
    client = await server.client()
    client.send(GET[:10])
    await until(lambda: server.connections.held == 10)
    client.send(GET[10:])
    assert (await client.answer())[0] == 503
    assert server.connections.held == 0


async def test_a_client_that_hangs_up_is_gone_for_all_its_requests(serve):
    """Only the last was told: a stream would have stayed, others would have written in vain."""
    server = serve(app := Echo())
    client = await server.client()
    client.send(GET.replace(b"/users", b"/slow") + GET * 2)
    await until(lambda: connection(server).pipeline)
    client.writer.transport.abort()
    async with asyncio.timeout(5):
        await app.disconnected.wait()
    assert [path for _, path, _ in app.seen] == ["/slow"]
    await until(lambda: not server.state.tasks)
