"""The service's own server on a real socket, with bounds that a test chooses, and its clients."""

import asyncio
import json
from collections.abc import Callable

import uvicorn
from uvicorn.server import ServerState

from app.framework.http.middleware import Places
from app.host.server.accepting import Acceptor
from app.host.server.bounded import BoundedProtocol
from app.host.server.connections import Connections
from app.host.server.listening import bind


class Client:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send it."""
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of the next answer."""
        async with asyncio.timeout(5):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            status, *lines = head.strip().split("\r\n")
            headers = dict(each.split(": ", 1) for each in lines)
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, body

    async def problem(self) -> tuple[int, str, str | None]:
        """The status and code of the next answer, and what it says of the connection."""
        status, headers, body = await self.answer()
        return status, json.loads(body)["code"], headers.get("connection")

    async def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        async with asyncio.timeout(5):
            return await self._reader.read()


class Server:
    """The application behind the service's own acceptor, with bounds that a test chooses."""

    def __init__(self, app, places: Places, **bounds: int) -> None:
        self.connections = Connections(places, **bounds)
        self.state = ServerState()
        self._clients: list[Client] = []
        self.config = uvicorn.Config(app, http=BoundedProtocol, lifespan="off", log_config=None)
        self.config.load()
        self.socket = bind("127.0.0.1", 0)
        self.acceptor = Acceptor(self.socket, self.connections, self._protocol)

    @property
    def protocols(self) -> list[BoundedProtocol]:
        """Those of the connections there are."""
        return [each for each in self.state.connections if isinstance(each, BoundedProtocol)]

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(self.config, self.state, self.connections)

    async def client(self) -> Client:
        """A client whose connection the server knows of."""
        client = Client(*await asyncio.open_connection(*self.socket.getsockname()))
        self._clients.append(client)
        address = client.writer.get_extra_info("sockname")
        await until(lambda: any(each.client == address for each in self.protocols))
        return client

    def look(self, seconds: float) -> None:
        """Have it look at its connections as if so many seconds had passed."""
        now = asyncio.get_running_loop().time() + seconds
        self.connections.look(set(self.protocols), now)

    async def close(self) -> None:
        """Accept no more, and cut off what is left."""
        self.acceptor.close()
        await self.acceptor.wait_closed()
        self.socket.close()
        for client in self._clients:
            client.writer.close()
        for each in self.protocols:
            each.abort()
        await until(lambda: not self.state.connections)


async def until(condition: Callable[[], object]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.001)


class Busy:
    """An ASGI application that answers when it is let, and counts what comes."""

    def __init__(self) -> None:
        self.begun = 0
        self.let = asyncio.Event()

    async def __call__(self, scope, _, send) -> None:
        """Wait, but for health checks."""
        self.begun += 1
        if not scope["path"].startswith("/health"):
            await self.let.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
