"""What the connections of the listening socket have of it."""

import asyncio
import socket
import sys
import time

import pytest

from app.host.server import listening

SECONDS = 1.0


class Sender(asyncio.Protocol):
    """Sends all it has at once, and hears when the connection is gone."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what fits into the buffers, if it is not read either."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"x" * 1_000_000)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        self.lost.set_result(exc)


@pytest.mark.skipif(sys.platform != "linux", reason="a socket option of Linux")
async def test_a_client_that_takes_nothing_is_cut_off_and_a_slow_one_is_not(monkeypatch):
    """Though all that it was sent has left the process."""
    monkeypatch.setattr(listening, "UNTAKEN_SECONDS", SECONDS)
    loop = asyncio.get_running_loop()
    senders: list[Sender] = []

    def sender() -> Sender:
        senders.append(Sender())
        return senders[-1]

    with listening.bind("127.0.0.1", 0) as bound:
        server = await loop.create_server(sender, sock=bound)
        with client_of(bound) as stuck, client_of(bound) as slow:
            assert stuck.fileno() >= 0
            while len(senders) < 2:  # noqa: ASYNC110 - of a server
                await asyncio.sleep(0.01)
            began = time.monotonic()
            while time.monotonic() < began + 3 * SECONDS:
                slow.recv(32_768)
                await asyncio.sleep(0.1)
            async with asyncio.timeout(10):
                assert isinstance(await senders[0].lost, TimeoutError)
            assert not senders[1].lost.done()
        server.close()


def client_of(bound: socket.socket) -> socket.socket:
    """A client with little room for what it does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.connect(bound.getsockname())
    return client
