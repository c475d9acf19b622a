"""Stands between a client and a service, and hangs up where a test wants it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Relay:
    """Passes on whatever is said, until the service at `url` has said `last`: then it hangs up.

    It does so once; connections after that are let alone.
    """

    def __init__(self, url: str, last: bytes) -> None:
        self._service = urlsplit(url)
        self._last = last
        self.has_hung_up = False
        self.url = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen at `self.url` for the length of a `with` block."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        async with server:
            yield

    async def _connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        host, port = self._service.hostname, self._service.port
        service, to_service = await asyncio.open_connection(host, port)
        ways = (
            asyncio.create_task(self._pass_on(client, to_service, until=None)),
            asyncio.create_task(self._pass_on(service, to_client, until=self._last)),
        )
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for each in ways:
            each.cancel()
        to_service.close()
        to_client.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, until: bytes | None
    ) -> None:
        said = b""
        while piece := await source.read(65536):
            said += piece
            if until and until in said and not self.has_hung_up:
                self.has_hung_up = True
                left = len(said) - said.index(until) - len(until)
                sink.write(piece[: len(piece) - left])
                await sink.drain()
                return
            sink.write(piece)
            await sink.drain()
