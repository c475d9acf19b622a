"""What a server does with clients that are slow, silent or too many, on real sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import uvloop

from app.framework.http.middleware import Places
from app.host.server import accepting
from tests.unit.api.service import MemoryService, application
from tests.unit.bounded import Busy, Server, until

HEAD = b"GET /users HTTP/1.1\r\nHost: x\r\n\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ALICE = b'{"id": "alice", "name": "Alice", "email": "alice@example.com"}'


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Server]]:
    """Starts servers of the API, by default, that are stopped after the test."""
    async with contextlib.AsyncExitStack() as stack:

        def start(app=None, requests: int = 100, **bounds: int) -> Server:
            api = app or application(MemoryService())
            places = api.state.places if app is None else Places(requests)
            places.bound = requests
            server = Server(api, places, **bounds)
            server.acceptor.start()
            stack.push_async_callback(server.close)
            return server

        yield start


async def test_a_head_has_to_be_there_within_ten_seconds_of_its_first_byte(serve):
    """However it drips, it is answered with 408 and hung up on."""
    server = serve()
    client = await server.client()
    client.send(HEAD[:10])
    await until(lambda: server.connections.held)
    server.look(9)
    client.send(HEAD[10:15])
    await until(lambda: server.connections.held == 15)
    server.look(11)
    assert await client.problem() == (408, "request-timeout", "close")
    assert await client.rest() == b""
    await until(lambda: not server.connections.open)
    assert server.connections.held == 0


async def test_a_silent_connection_is_closed_after_ten_seconds(serve):
    """Without a word, since nothing was asked."""
    server = serve()
    client = await server.client()
    server.look(9)
    assert server.connections.open == 1
    server.look(11)
    assert await client.rest() == b""


async def test_a_connection_that_was_answered_owes_the_next_head(serve):
    """The time begins anew with the first byte of each request."""
    server = serve()
    client = await server.client()
    client.send(LIVE)
    await client.answer()
    client.send(HEAD[:10])
    await until(lambda: server.connections.held)
    server.look(11)
    assert await client.problem() == (408, "request-timeout", "close")


async def test_a_body_has_to_be_there_within_thirty_seconds_of_its_head(serve):
    """Else it is 408, and nothing is done."""
    server = serve()
    client = await server.client()
    client.send(POST + b"Content-Length: %d\r\n\r\n" % len(ALICE) + ALICE[:-1])
    await until(lambda: server.connections.bodies)
    server.look(29)
    assert server.connections.open == 1
    server.look(31)
    assert await client.problem() == (408, "request-timeout", "close")
    assert await client.rest() == b""
    await until(lambda: not server.connections.held)


async def test_what_was_refused_before_its_body_came_owes_it_all_the_same(serve):
    """The connection is closed, without a second answer."""
    server = serve()
    client = await server.client()
    client.send(POST + b"Content-Length: 99999999\r\n\r\n")
    assert (await client.answer())[0] == 413
    server.look(31)
    assert await client.rest() == b""


async def test_bodies_in_memory_are_bounded_together(serve, caplog):
    """The one that is longest on its way has to go, and others are served; said once."""
    server = serve(bytes_bound=1000)
    slow = [await server.client() for _ in range(3)]
    for number, each in enumerate(slow):
        each.send(POST + b"Content-Length: 500\r\n\r\n" + b" " * 400)
        await until(partial(lambda due: server.connections.held == due, min(number + 1, 2) * 400))
    assert await slow[0].problem() == (503, "overloaded", "close")
    for each in slow[1:]:
        each.send(b" " * 100)
        assert (await each.answer())[0] == 422
    await until(lambda: not server.connections.held)
    [logged] = caplog.records
    assert logged.getMessage().startswith("Incomplete requests hold 1000 bytes")


async def test_a_client_that_takes_nothing_for_thirty_seconds_is_cut_off(serve):
    """One that takes some of it is not."""
    server = serve()
    client = await server.client()
    client.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
    await until(lambda: any(each.flow.write_paused for each in server.state.connections))
    server.look(0)
    server.look(29)
    assert server.connections.open == 1
    server.look(31)
    await until(lambda: not server.connections.open)


async def test_the_idlest_connection_gives_way_to_a_new_one(serve, caplog):
    """Not the one that was used last; said once however many go."""
    server = serve(bound=3)
    clients = [await server.client() for _ in range(3)]
    clients[0].send(LIVE)
    await clients[0].answer()
    more = [await server.client() for _ in range(2)]
    for each in (clients[0], *more):
        each.send(LIVE)
        assert (await each.answer())[0] == 200
    assert [await each.rest() for each in clients[1:]] == [b"", b""]
    assert len(caplog.records) == 1


async def test_many_that_come_at_once_and_say_nothing_give_way_as_well(serve):
    """Though all are accepted in one turn of the event loop, before any is known to be idle."""
    server = serve(bound=5)
    address = server.socket.getsockname()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(contextlib.closing(socket.create_connection(address)))
        client = await server.client()
        client.send(LIVE)
        assert (await client.answer())[0] == 200
        assert server.connections.open <= 5 + server.connections.SPARE


async def test_a_stalled_body_gives_way_before_a_head_that_may_be_on_its_way(serve):
    """Else a new client would be turned away again and again where others stall their bodies."""
    server = serve(bound=2)
    stalled = [await server.client() for _ in range(2)]
    for each in stalled:
        each.send(POST + b"Content-Length: 2\r\n\r\n{")
    await until(lambda: len(server.connections.bodies) == 2)
    new = [await server.client() for _ in range(2)]
    for each in new:
        each.send(LIVE)
        assert (await each.answer())[0] == 200
    for each in stalled:
        assert (await each.problem())[:2] == (503, "overloaded")


async def test_where_all_connections_are_busy_a_new_one_is_refused_in_order(serve):
    """With 503 and a word, but for health checks, which are answered."""
    app = Busy()
    server = serve(app, bound=2)
    busy = [await server.client() for _ in range(2)]
    for each in busy:
        each.send(HEAD)
    await until(lambda: app.begun == 2)
    for method in (b"GET", b"HEAD"):
        refused = await server.client()
        refused.send(
            HEAD.replace(b"GET", method).replace(b"\r\n\r\n", b"\r\nOrigin: http://x\r\n\r\n")
        )
        said = await refused.rest()
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in said
        assert said.endswith(b"}" if method == b"GET" else b"\r\n\r\n")
    asking = await server.client()
    asking.send(LIVE)
    assert (await asking.answer())[0] == 200
    app.let.set()
    for each in busy:
        assert (await each.answer())[0] == 200


async def test_what_follows_a_health_check_is_answered_after_it(serve):
    """On a connection for which there is no room, too: the first answer is to the first request."""
    app = Busy()
    server = serve(app, bound=1)
    busy = await server.client()
    busy.send(HEAD)
    await until(lambda: app.begun == 1)
    asking = await server.client()
    asking.send(LIVE + HEAD)
    assert (await asking.answer())[0] == 200
    app.let.set()
    assert (await asking.answer())[0] == 200
    assert (await busy.answer())[0] == 200


async def test_what_is_too_much_is_refused_before_the_application(serve, caplog):
    """As the application would, on a connection that stays; health passes, and it is said once."""
    app = Busy()
    server = serve(app, requests=0)
    client = await server.client()
    request_id = b'"quoted"'
    client.send(HEAD.replace(b"\r\n\r\n", b"\r\nX-Request-Id: %b\r\n\r\n" % request_id))
    status, headers, body = await client.answer()
    assert (status, headers["retry-after"], headers["x-request-id"]) == (503, "1", '"quoted"')
    assert json.loads(body)["request_id"] == '"quoted"'
    client.send(POST + b"Content-Length: %d\r\n\r\n" % len(ALICE) + ALICE[:9])
    assert (await client.problem())[:2] == (503, "overloaded")
    client.send(ALICE[9:] + LIVE)
    assert (await client.answer())[0] == 200
    assert app.begun == 1
    client.send(HEAD)
    assert (await client.problem())[:2] == (503, "overloaded")
    client.writer.write_eof()
    assert await client.rest() == b""
    assert len(caplog.records) == 1


async def test_who_keeps_sending_what_is_refused_is_read_more_slowly(serve):
    """Else refusals, cheap as they are, would take the time of what is being worked on."""
    server = serve(requests=0, refused_a_second=200)
    client = await server.client()
    clock = asyncio.get_running_loop().time
    begin = clock()
    for _ in range(50):
        client.send(HEAD)
        assert (await client.problem())[0] == 503
    assert clock() - begin > 0.2
    server.connections.places.bound = 1
    client.send(HEAD)
    assert (await client.answer())[0] == 200


async def test_a_request_that_was_refused_gets_no_second_answer_when_its_body_breaks(serve):
    """A proxy would take it for the answer to another client's request."""
    server = serve(Busy(), requests=0)
    client = await server.client()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    assert (await client.problem())[:2] == (503, "overloaded")
    client.send(b"zz\r\n" + LIVE)
    assert await client.rest() == b""


async def test_a_refusal_of_the_server_is_that_of_the_application(serve):
    """But for the id, the same headers and body, whoever makes it."""
    server = serve(requests=0)
    client = await server.client()
    answers = []
    for more in (b"", b"Origin: http://x\r\n"):  # with an Origin the application answers
        client.send(HEAD.replace(b"Host", b"X-Request-Id: r\r\n%bHost" % more))
        status, headers, body = await client.answer()
        headers.pop("date", None)
        answers.append((status, headers, body))
    assert answers[0] == answers[1]


def test_all_connections_that_wait_are_accepted_in_one_turn_of_the_loop(monkeypatch):
    """Of uvloop, which takes one a turn by itself."""

    async def turns_for(number: int) -> int:
        server = Server(Busy(), Places(10))
        server.acceptor.start()
        address = server.socket.getsockname()
        waiting = [socket.create_connection(address) for _ in range(number)]
        turns = 0
        while server.connections.open < number:
            await asyncio.sleep(0)
            turns += 1
        await until(lambda: len(server.state.connections) == number)
        await server.close()
        for each in waiting:
            each.close()
        return turns

    assert uvloop.run(turns_for(100)) <= 3
    monkeypatch.setattr(accepting, "A_TURN", 10)
    assert uvloop.run(turns_for(100)) >= 10
