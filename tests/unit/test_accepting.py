"""Connections are accepted as long as the system can open more."""

import asyncio
import errno
import logging
import socket

import pytest

from app.framework.http.middleware import Places
from app.host.server import accepting
from app.host.server.accepting import Acceptor
from app.host.server.connections import Connections

SOON = 10.0


class Scarce(socket.socket):
    """A listening socket for whose connections there may be no descriptor."""

    failures = 0
    error = errno.EMFILE

    def accept(self) -> tuple[socket.socket, object]:
        """Fail as often as is wanted, then accept."""
        if self.failures:
            self.failures -= 1
            raise OSError(self.error, errno.errorcode[self.error])
        return super().accept()


class Greeting(asyncio.Protocol):
    """Says hello to every client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say it, and hang up."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


@pytest.fixture
def listening():
    """A socket on loopback that does not listen yet."""
    with Scarce() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


async def greeted(listening: socket.socket) -> bytes:
    """What a client hears."""
    async with asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            return await reader.read()
        finally:
            writer.close()


async def test_it_goes_on_after_the_system_had_no_descriptor(listening, monkeypatch, caplog):
    """The client waits, and the log says so once."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(accepting, "REST_SECONDS", 0.01)
    listening.failures = 3
    acceptor = Acceptor(listening, Connections(Places(1), bound=10), Greeting)
    acceptor.start()
    assert await greeted(listening) == b"hello"
    assert listening.failures == 0
    assert caplog.text.count("Cannot accept connections: too many open files (ulimit -n)") == 1
    acceptor.close()


async def test_a_client_that_is_gone_already_holds_up_no_other(listening, caplog):
    """Nothing is logged: that is the client's business."""
    listening.failures, listening.error = 1, errno.ECONNABORTED
    acceptor = Acceptor(listening, Connections(Places(1), bound=10), Greeting)
    acceptor.start()
    assert await greeted(listening) == b"hello"
    assert not caplog.records
    acceptor.close()


async def test_once_closed_it_accepts_no_more(listening, monkeypatch):
    """Also if it had just paused."""
    monkeypatch.setattr(accepting, "REST_SECONDS", 0.01)
    listening.failures = 1
    connections = Connections(Places(1), bound=10)
    acceptor = Acceptor(listening, connections, Greeting)
    acceptor.start()
    client = socket.create_connection(listening.getsockname())
    async with asyncio.timeout(SOON):
        while listening.failures:  # noqa: ASYNC110 - of a socket
            await asyncio.sleep(0)
    acceptor.close()
    await acceptor.wait_closed()
    await asyncio.sleep(0.05)  # longer than the pause
    assert connections.open == 0
    client.close()


async def test_what_waits_at_a_stop_is_accepted(listening):
    """Its client is connected already, and would find a reset; further ones are refused."""
    acceptor = Acceptor(listening, Connections(Places(1), bound=10), Greeting)
    acceptor.start()
    address = listening.getsockname()
    waiting = [socket.create_connection(address) for _ in range(3)]
    acceptor.close()
    await acceptor.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    for each in waiting:
        each.settimeout(SOON)
        assert await asyncio.to_thread(each.recv, 10) == b"hello"
        each.close()
