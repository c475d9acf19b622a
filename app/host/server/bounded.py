"""HTTP within limits: of waiting time, of requests under way, of memory."""

import asyncio
import functools

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from app.framework.http.last_answer import CLOSE
from app.framework.http.middleware import ALWAYS_ADMITTED
from app.framework.http.problems import OVERLOADED
from app.framework.http.problems.kinds import ProblemType
from app.host.server.connections import Connections
from app.host.server.protocol import Protocol
from app.host.server.quick_refusals import QuickRefusal

_ALWAYS_ADMITTED = tuple(each.encode() for each in ALWAYS_ADMITTED)

_GIVING_WAY_SECONDS = 0.05
"""How long sending the last answer may take when the connection's descriptor is needed."""

_quick_refusal = functools.cache(QuickRefusal)


class BoundedProtocol(Protocol):
    """Keeps `connections` up to date, and refuses requests while all places are taken."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        connections: Connections,
    ) -> None:
        """Count the connection among `connections`, all those of the server."""
        super().__init__(config, server_state, {})
        self._all = connections
        self._all.open += 1
        self._is_surplus = False  # over the bound: only health checks are answered
        self._held = 0
        self._is_refused = False
        self._is_paused = False  # too many refusals lately

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_surplus = not self._all.made(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._all.lost(self)
        self._release()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._kept:
            self._hold(len(data))

    def on_message_begin(self) -> None:
        """Start the time for a head with its first byte."""
        super().on_message_begin()
        if self._all.heads.pop(self, None) is not None:
            self._owe_head()

    def on_headers_complete(self) -> None:
        owing = self._all
        owing.heads.pop(self, None)
        owing.bodies[self] = self.loop.time()
        places = self._all.places
        is_full = self._is_surplus or places.taken >= places.bound
        if is_full and self._refuses_head():
            self._kept = 0
            self._release()
            self._is_refused = True
            self.scope = None  # type: ignore[assignment] # no request has begun
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._is_refused:
            self._kept = 0
            return
        if not self.cycle.response_complete:
            self._hold(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Have the request answered."""
        self._all.bodies.pop(self, None)
        if self._is_refused:
            self._is_refused = False
        else:
            super().on_message_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self._owe_head()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if self._held:
            self._release()
        if self._unread:
            self._hold(len(self._unread))
        super().on_response_complete()
        cycle = self.cycle
        if cycle.response_complete and not cycle.more_body:
            self._owe_head()

    def hang_up(self, kind: ProblemType, *, at_once: bool = False) -> bool:
        """Close in order, with a problem of this kind if a request has begun."""
        if self.transport.is_closing():
            return False
        if self.transport.get_write_buffer_size() or not (self._reads_head or self._under_way):
            self.transport.abort()  # nothing is lost, and its descriptor is free at once
            return True
        self._refuse(kind)
        if at_once:
            self.loop.call_later(_GIVING_WAY_SECONDS, self.transport.abort)
        return True

    def unsent(self) -> int:
        """How many bytes wait for the client to take those before; 0 if it takes them in time."""
        if self.flow.write_paused or self.transport.is_closing():
            return self.transport.get_write_buffer_size()
        return 0

    def abort(self) -> None:
        self.transport.abort()

    def pause(self) -> None:
        """Read nothing."""
        self._is_paused = True
        self.flow.pause_reading()

    def resume(self) -> None:
        """Read again, if there is anything to read from."""
        self._is_paused = False
        self._read_on()

    @property
    def _has_to_wait(self) -> bool:
        return self._is_paused or super()._has_to_wait

    def _leave(self, data: bytes) -> None:
        more = len(data) - len(self._unread)
        super()._leave(data)
        # It is kept like an incomplete body.
        self._all.bodies.pop(self, None)
        self._all.bodies[self] = self.loop.time()
        self._hold(more)

    def _refuses_head(self) -> bool:
        # The application refuses pipelined requests, in their turn, and those of pages, with the
        # headers that a browser needs. A request with an upgrade is read once more.
        if self.url.startswith(_ALWAYS_ADMITTED) or self.parser.should_upgrade():
            return False
        from_page = any(name == b"origin" for name, _ in self.headers)
        if self._under_way or (from_page and not self._is_surplus):
            return False
        if not self._is_surplus:
            self._all.places.refuse()
        defaults = self.server_state.default_headers
        last = self._is_surplus or not self.parser.should_keep_alive() or CLOSE in defaults
        refusal = _quick_refusal(OVERLOADED, self.root_path)
        answer = refusal.answer(self.url, self.headers, defaults, last=last)
        if self.parser.get_method() == b"HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        self.transport.write(answer)
        if last:
            self.transport.close()
        else:
            self._all.backpressure.refused(self)
        if self._is_surplus:
            self.loop.call_later(_GIVING_WAY_SECONDS, self.transport.abort)
        return True

    def _refuse(self, kind: ProblemType, reason: str = "") -> None:
        if self._is_refused:  # it is answered, though its body is incomplete
            self._is_done = True
            self.transport.close()
        else:
            super()._refuse(kind, reason)

    def _owe_head(self) -> None:
        self._all.heads[self] = self.loop.time()

    def _hold(self, length: int) -> None:
        self._held += length
        self._all.hold(length)

    def _release(self) -> None:
        self._all.held -= self._held
        self._held = 0
