"""The server of the service, based on uvicorn."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from app.host.server.accepting import Acceptor
from app.host.server.bounded import BoundedProtocol
from app.host.server.connections import Connections
from app.host.server.descriptors import connections_bound
from app.host.server.listening import CannotListen
from app.host.server.sharing import Share


class Server(uvicorn.Server):
    """A server that says when it accepts connections, and stops in stages.

    It captures no signals: StopRequest handles them.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        app: FastAPI,
        stop_delay: float = 0,
        on_start: Callable[[], None] = lambda: None,
        share: Share | None = None,
    ) -> None:
        """`on_start` is called when connections are accepted; `share` is for one of several."""
        super().__init__(config)
        self._share = share
        self._on_start = on_start
        self._stop_delay = stop_delay
        self._hurry = not stop_delay
        self._draining: asyncio.Event = app.state.draining
        self._stopping: asyncio.Event = app.state.stopping
        self._places = app.state.places

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; fails if another process listens on the same port by now."""
        [bound] = sockets or []
        self.connections = Connections(self._places, bound=connections_bound())
        if not self.config.loaded:
            self.config.load()

        def protocol() -> BoundedProtocol:
            return BoundedProtocol(self.config, self.server_state, self.connections)

        self._acceptor = acceptor = Acceptor(bound, self.connections, protocol, self._share)
        try:
            acceptor.start()
        except OSError as error:
            host, port = bound.getsockname()[:2]
            raise CannotListen(host, port, error) from error
        self.servers = [acceptor]  # type: ignore[list-item] # all that is asked of one it can do
        self.started = True
        self._on_start()

    def abandon(self) -> None:
        """Stop without the delay: the next service is to have the address."""
        self._hurry = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after the delay; a further signal ends the delay, then the wait for requests."""
        if self.should_exit and not self._hurry:
            self._hurry = True
        else:
            super().handle_exit(sig, frame)

    async def main_loop(self) -> None:
        """Serve until a stop is requested, and for the delay after it."""
        await super().main_loop()
        self._draining.set()
        loop = asyncio.get_running_loop()
        end = loop.time() + self._stop_delay
        for counter in itertools.count():
            if self._hurry or loop.time() >= end:
                break
            await self.on_tick(counter)
            await asyncio.sleep(0.1)
        self._hurry = True

    async def on_tick(self, counter: int) -> bool:
        """Check ten times a second whether to stop, and once a second for late connections."""
        self._acceptor.note_count()
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            self.connections.look(cast("set[BoundedProtocol]", self.server_state.connections), now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, and wait for the requests under way."""
        self._stopping.set()
        for each in self.servers:
            each.close()
            await each.wait_closed()
        await super().shutdown(sockets)
