"""Accepts connections, many in each turn of the event loop.

uvloop accepts one per turn: under load, when turns are long, new clients and health checks would
wait for seconds. asyncio accepts all that wait before it does anything else.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from app.framework.observability.episodes import Episode
from app.framework.observability.metrics import gauge
from app.host.server.connections import Connections
from app.host.server.sharing import YIELD_SECONDS, Share

BACKLOG = 2048
"""How many connections may wait to be accepted."""

A_TURN = 256
"""How many connections are accepted in one turn of the event loop."""

REST_SECONDS = 0.1
"""The pause after the system could not open another connection."""

_OPEN = gauge("connections_open", "Connections of clients.")

_NO_MORE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_logger = logging.getLogger(__name__)


class Acceptor:
    """Accepts the connections to a socket, instead of an `asyncio.Server`."""

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        protocol: Callable[[], asyncio.Protocol],
        share: Share | None = None,
    ) -> None:
        """With a `share`, other processes accept connections to the same socket."""
        self._listening = listening
        self._connections = connections
        self._protocol = protocol
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._opening: set[asyncio.Task[object]] = set()
        self._exhausted = Episode(
            _logger,
            begins="Cannot accept connections: too many open files (ulimit -n). The connections "
            "idle for longest are closed.",
            ended="Connections are accepted again, after %d failures.",
        )

    def start(self) -> None:
        """Start to listen and to accept.

        Raises:
            OSError: another process has begun to listen on the same address.

        """
        self._listening.listen(BACKLOG)
        self._listening.setblocking(False)  # noqa: FBT003 - the standard library's
        self._loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Accept what waits, and no more; the socket is closed.

        The system would reset what waits there, though its clients take it for accepted.
        """
        if self._closed:
            return
        self._accept_up_to(BACKLOG)
        self._closed = True
        self._loop.remove_reader(self._listening)
        self._listening.close()

    async def wait_closed(self) -> None:
        """Return once every accepted connection has its protocol."""
        if self._opening:
            await asyncio.wait(self._opening)

    def note_count(self) -> None:
        """Let metrics and other processes know how many connections there are here."""
        _OPEN.of().value = self._connections.open
        if self._share is not None:
            self._share.note(self._connections.open)

    def _accept(self) -> None:
        if self._share is None:
            self._accept_up_to(A_TURN)
            return
        self.note_count()
        if self._share.is_ahead:
            self._rest(YIELD_SECONDS)
        else:
            self._accept_share()

    def _accept_share(self) -> None:
        assert self._share is not None
        self._accept_up_to(min(A_TURN, self._share.a_turn))
        self.note_count()

    def _accept_up_to(self, most: int) -> None:
        for _ in range(most):
            if not self._connections.has_room():
                return
            try:
                accepted, _ = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_MORE:
                    self._exhausted.count()
                    self._connections.give_way()
                    self._rest(REST_SECONDS)
                    return
                continue  # the client or its network is gone already
            self._open(accepted)

    def _open(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)  # noqa: FBT003 - the standard library's
        protocol = self._protocol()
        opening = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: protocol, accepted)
        )
        self._opening.add(opening)
        opening.add_done_callback(self._opened)

    def _opened(self, opening: asyncio.Task[object]) -> None:
        self._opening.discard(opening)
        if not opening.cancelled() and (error := opening.exception()):
            _logger.warning("Cannot open an accepted connection: %r", error)
            self._connections.open -= 1

    def _rest(self, seconds: float) -> None:
        # The socket stays readable: an immediate retry would keep the loop busy.
        self._loop.remove_reader(self._listening)
        self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        if self._closed:
            return
        self._loop.add_reader(self._listening, self._accept)
        if self._share is not None:
            self._accept_share()  # the others had their chance
