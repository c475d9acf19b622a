"""A relay in front of a database, which forgets connections as a NAT does: without a word."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, unquote, urlsplit


class Relay:
    """Passes on what is sent to the server at `url`; after `forget`, nothing on old connections."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._ways: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._memory = object()
        self.address = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen at `self.address` for the length of a `with` block."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.address = "{}:{}".format(*server.sockets[0].getsockname())
        try:
            yield
        finally:
            server.close()
            for each in self._ways:
                each.cancel()
            await asyncio.gather(*self._ways, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            closing = (each.wait_closed() for each in self._writers)
            await asyncio.gather(*closing, return_exceptions=True)

    def forget(self) -> None:
        """Pass on nothing more of the connections there are; they stay open at both ends."""
        self._memory = object()

    async def _connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await self._open()
        self._writers |= {to_client, to_server}
        memory = self._memory
        for source, sink in ((client, to_server), (server, to_client)):
            self._ways.add(asyncio.create_task(self._pass_on(source, sink, memory)))

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, memory: object
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                if memory is self._memory:
                    sink.write(piece)
                    await sink.drain()
        if memory is self._memory:
            sink.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        options = {name: values[0] for name, values in parse_qs(self._server.query).items()}
        host = unquote(self._server.netloc.rpartition("@")[2]) or options["host"]
        if host.endswith(".sock"):
            return await asyncio.open_unix_connection(host)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{options['port']}")
        return await asyncio.open_connection(self._server.hostname, self._server.port)
