"""The server says when it serves, and stops in stages."""

import asyncio
import errno
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI

from app.framework.http.middleware import Places
from app.host.server.bounded import BoundedProtocol
from app.host.server.listening import CannotListen, base_url, bind
from app.host.server.server import Server
from tests.unit.serving import Address, Answer, read_answer

SOON = 10.0
LONG = 600.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def new_app() -> FastAPI:
    """An application with what the server needs of one."""
    app = FastAPI()
    app.state.draining, app.state.stopping = asyncio.Event(), asyncio.Event()
    app.state.places = Places(10)

    @app.get("/")
    async def greet() -> str:
        return "hello"

    return app


def server_of(
    app: FastAPI, stop_delay: float = 0, on_start: Callable[[], None] = lambda: None
) -> Server:
    """A server of the application, without signals."""
    config = uvicorn.Config(app, http=BoundedProtocol, lifespan="off", log_config=None)
    return Server(config, app, stop_delay, on_start)


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[tuple[Address, asyncio.Task[None]]]:
    """The address and the task of the server, which is stopped at the end."""
    with bind("127.0.0.1", 0) as bound:
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        async with asyncio.timeout(SOON):
            while not server.started:  # noqa: ASYNC110 - uvicorn's attribute
                await asyncio.sleep(0)
            yield bound.getsockname(), serving
            server.handle_exit(signal.SIGTERM, None)
            server.handle_exit(signal.SIGTERM, None)
            await serving


async def ask(address: Address) -> Answer:
    """The answer to a request on a connection of its own."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET)
    answer = await read_answer(reader)
    writer.close()
    return answer


async def test_it_says_that_it_accepts_connections():
    """Once it does, and not again."""
    said: list[str] = []
    async with running(server_of(new_app(), on_start=lambda: said.append("now"))) as (address, _):
        assert said == ["now"]
        assert (await ask(address)).body == b'"hello"'
    assert said == ["now"]


async def test_without_a_delay_it_stops_at_once():
    """It is not ready, its streams end, and new connections are refused."""
    app = new_app()
    server = server_of(app)
    async with running(server) as (address, serving):
        server.handle_exit(signal.SIGTERM, None)
        await serving
        assert app.state.draining.is_set()
        assert app.state.stopping.is_set()
        with pytest.raises(ConnectionRefusedError):
            await ask(address)


async def test_in_the_delay_it_goes_on_serving():
    """It is not ready, and streams go on; a second signal ends the delay."""
    app = new_app()
    server = server_of(app, stop_delay=LONG)
    async with running(server) as (address, serving):
        server.handle_exit(signal.SIGTERM, None)
        await app.state.draining.wait()
        assert (await ask(address)).status == 200
        assert not app.state.stopping.is_set()
        server.handle_exit(signal.SIGTERM, None)
        await serving
        assert app.state.stopping.is_set()
        assert not server.force_exit


async def test_one_that_is_abandoned_stops_without_its_delay():
    """Its supervisor is gone, and the next one is to have the address."""
    server = server_of(new_app(), stop_delay=LONG)
    async with running(server) as (address, serving):
        server.abandon()
        await serving
        with pytest.raises(ConnectionRefusedError):
            await ask(address)


async def test_a_further_signal_ends_the_wait_for_requests():
    """After those that end the delay."""
    server = server_of(new_app(), stop_delay=LONG)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGTERM):
        server.handle_exit(number, None)
        assert not server.force_exit
    server.handle_exit(signal.SIGINT, None)
    assert server.force_exit


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the second cannot even be bound")
async def test_an_address_that_is_taken_meanwhile_is_named():
    """Another process has begun to listen where this one is bound."""
    with bind("127.0.0.1", 0) as bound, bind(*bound.getsockname()) as other:
        other.listen()
        with pytest.raises(CannotListen) as refused:
            await server_of(new_app()).startup([bound])
        assert str(refused.value).startswith(f"PORT: {base_url(bound).removeprefix('http://')}")
        assert isinstance(refused.value.__cause__, OSError)
        assert refused.value.__cause__.errno == errno.EADDRINUSE
