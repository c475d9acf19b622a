"""The protocol of the server: what it answers without the application."""

import asyncio
import functools
import inspect
import logging
from collections.abc import Coroutine
from typing import Any, ClassVar, cast

import httptools
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.framework.http.last_answer import CLOSE, LastAnswer
from app.framework.http.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST
from app.framework.http.problems.kinds import ProblemType
from app.framework.observability.metrics import counter
from app.host.server.broken_body import BrokenBody
from app.host.server.hanging_up import OrderlyTransport
from app.host.server.heads import UnreadableHead, origin_form, without_upgrade
from app.host.server.pacing import PacedProtocol

_VERSIONS = ("1.1", "1.0")
_SLASH = ord("/")
_SAFE = ("GET", "HEAD", "OPTIONS")

_REFUSED = counter(
    "server_refusals_total",
    "Requests that did not come to the application, as unreadable, too large or too slow, by the "
    "code of the problem.",
    "code",
)

_log = logging.getLogger(__name__)


class Protocol(PacedProtocol):
    """uvicorn's protocol, which answers unreadable requests with a problem, and limits heads.

    An offered upgrade is ignored (RFC 9110, 7.8).

    The parser keeps a head, or the trailers after a body, in memory until they are complete.
    """

    LIMIT: ClassVar[int] = 64 * 1024
    """How many bytes may come without completing a head or belonging to a body; more than the
    application accepts, as its refusal is more precise."""

    PATIENCE: ClassVar[float] = 2.0
    """For how many seconds a client may not read its answer, when the server stops."""

    LAST_REQUEST: ClassVar[float] = 1.0
    """For how many seconds an idle connection may still send a request, when the server stops."""

    LAST_ANSWER: ClassVar[float] = 1.0
    """For how many seconds the answer to a read may take once the client has closed its side. The
    client may be gone, and can repeat a read."""

    _kept = 0
    _task: asyncio.Task[None]
    _begun: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        orderly = OrderlyTransport(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", orderly))

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer the requests before the client closed its side, then close ours."""
        if super().eof_received():
            return True
        cycle = self._under_way
        self._orderly.input_ended = True
        if self._reads_head:
            self._refuse(MALFORMED_REQUEST, "it ends before its head does")
        elif cycle is None or cycle.chunked_encoding:
            return False  # A client of a stream that closes its side has gone.
        elif cycle.more_body:
            self._refuse(MALFORMED_REQUEST, "it ends before its body does")
        else:
            cycle.keep_alive = False
            if cycle.scope["method"] in _SAFE:
                self.loop.call_later(self.LAST_ANSWER, self.transport.close)
        return not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Disconnect the request under way, also if others wait behind it."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._begun and not self._begun.response_complete:
            self._begun.disconnected = True
            self._begun.message_event.set()

    def on_headers_complete(self) -> None:
        self._kept = 0
        if self.url[0] != _SLASH or b"#" in self.url:
            self._normalise_target()
        super().on_headers_complete()
        if self.scope["http_version"] not in _VERSIONS:
            raise UnreadableHead("its version of HTTP is neither 1.1 nor 1.0")

    def on_body(self, body: bytes) -> None:
        self._kept = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Send what has no body too, as the answer to a HEAD."""
        self._orderly.flush()
        super().on_response_complete()

    def on_chunk_header(self) -> None:
        """Prevent trailers after the last chunk from becoming part of the head."""
        if self.headers:
            codings = [value for name, value in self.headers if name == b"transfer-encoding"]
            if [each.strip().lower() for each in codings] != [b"chunked"]:
                raise UnreadableHead("the only transfer coding that is understood is chunked")
            self.headers = []

    def shutdown(self) -> None:
        """Close after the next answer; soon if none is due, or if the client does not read."""
        if CLOSE not in self.server_state.default_headers:
            self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        if cycle := self._under_way:
            cycle.keep_alive = False
        else:
            # A request may be on its way: it is answered, as the last one.
            self.loop.call_later(self.LAST_REQUEST, self._close_if_idle)
        if unsent := self.transport.get_write_buffer_size():
            self.loop.call_later(self.PATIENCE, self._give_up, unsent)

    def _read(self, data: bytes | memoryview) -> None:
        self._kept += len(data)
        rest = data
        while rest:
            try:
                self.parser.feed_data(rest)
                break
            except httptools.HttpParserUpgrade as offered:
                rest = memoryview(rest)[offered.args[0] :]
            except httptools.HttpParserError as error:
                self._refuse(MALFORMED_REQUEST, _reason(error))
                return
            if not self._read_head_again():
                return
        if self._kept > self.LIMIT and not self.transport.is_closing():
            self._refuse(HEADERS_TOO_LARGE)

    def _close_if_idle(self) -> None:
        if not self._under_way:
            self.transport.close()

    def _give_up(self, unsent: int) -> None:
        # A client that does not read is sent nothing more: the unsent bytes do not decrease.
        if self.transport.get_write_buffer_size() >= unsent:
            self.transport.abort()

    def _should_upgrade(self) -> bool:
        # uvicorn starts no request then; `_read_head_again` does.
        return True

    def _read_head_again(self) -> bool:
        # The parser would take the rest for another protocol, so a new parser reads the head
        # without the offer, and the rest.
        method, version = self.scope["method"], self.scope["http_version"]
        if method == "CONNECT":
            self._refuse(MALFORMED_REQUEST, "CONNECT is for proxies")
            return False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(without_upgrade(method, self.url, version, self.headers))
        except httptools.HttpParserError as error:  # its framing was not checked before
            self._refuse(MALFORMED_REQUEST, _reason(error))
            return False
        return True

    def _normalise_target(self) -> None:
        self.url, host = origin_form(self.url, self.parser.get_method().decode())
        if host is not None:
            # It overrides the header (RFC 9112, 3.2.2).
            self.headers[:] = [
                (name, host if name == b"host" else value) for name, value in self.headers
            ]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._begun = cycle
        self._task = task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    @property
    def _orderly(self) -> OrderlyTransport:
        return cast("OrderlyTransport", self.transport)

    @property
    def _under_way(self) -> RequestResponseCycle | None:
        """The last request with a complete head, unless it is answered."""
        last: RequestResponseCycle | None = self.cycle
        return None if last is None or last.response_complete else last

    @property
    def _reads_head(self) -> bool:
        """Whether a head has started and is incomplete."""
        begun: HTTPScope | None = self.scope
        last: RequestResponseCycle | None = self.cycle
        return begun is not None and (last is None or last.scope is not begun)

    def _refuse(self, kind: ProblemType, reason: str = "") -> None:
        """Read nothing more, and close after all answers, including the one to this request."""
        self._orderly.discard_input()
        self._is_done, self._unread = True, b""
        _REFUSED.of(kind.code).value += 1
        cycle = self._under_way
        if cycle is None:
            # The rest of a request that was answered early gets no second answer.
            if self._reads_head or self.scope is None:
                self._write(LastAnswer({"path": "", "root_path": self.root_path}, kind, reason))
            self.transport.close()
            return
        cycle.keep_alive = False
        if not cycle.more_body:
            return  # It is complete and may have been carried out: its own answer is the last one.
        answer = LastAnswer(cycle.scope, kind, reason)
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline[0] = (cycle, answer)
        elif _has_not_begun(self._task):
            self._task.cancel()
            self._start_asgi_task(cycle, answer)
        else:
            unreadable = functools.partial(self._end_unread, cycle, answer)
            cycle.flow = cast("FlowControl", BrokenBody(cycle.flow, unreadable))
            cycle.message_event.set()

    def _end_unread(self, cycle: RequestResponseCycle, answer: LastAnswer) -> None:
        if not cycle.response_started:
            self._write(answer)
        self.transport.close()
        cycle.disconnected = True
        cycle.message_event.set()

    def _write(self, answer: LastAnswer) -> None:
        self.transport.write(answer.as_bytes(self.server_state.default_headers))


def _has_not_begun(task: asyncio.Task[None]) -> bool:
    coroutine = cast("Coroutine[Any, Any, None]", task.get_coro())
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _reason(error: httptools.HttpParserError) -> str:
    cause = error.__context__
    if isinstance(cause, UnreadableHead):
        return str(cause)
    if cause is not None and not isinstance(cause, httptools.HttpParserInvalidURLError):
        _log.error("Cannot parse the head of a request.", exc_info=cause)
    return str(error)
