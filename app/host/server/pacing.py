"""Reads pipelined requests in pieces, no faster than they are answered: backpressure."""

from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PacedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which does not read on while pipelined requests wait.

    One packet can hold thousands of requests. uvicorn starts all of them at once, which takes 0.1 s
    and 10 MB; with a packet on each of 50 connections all clients wait for seconds.
    """

    PIECE: ClassVar[int] = 512
    """How many bytes are read at a time; the requests in them may wait."""

    _is_done = False
    """Whether reading is paused."""

    _unread = b""
    _has_ended = False
    """Whether the client has closed its side after what is unread."""

    def data_received(self, data: bytes) -> None:
        if self._unread:
            self._leave(self._unread + data)
        elif len(data) <= self.PIECE and not self._has_to_wait:
            self._read(data)
        else:
            self._read_in_pieces(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays open, as there may be more to read."""
        self._has_ended = bool(self._unread)
        return self._has_ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread = b""
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Continue, as the client reads again."""
        super().resume_writing()
        self._read_on_later()

    def on_response_complete(self) -> None:
        """Start the next request, if there is one.

        Like uvicorn, but without its timer for idle connections on each answer: the server checks
        all connections once a second.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            if self.pipeline:
                self.flow.pause_reading()
        if self._unread:
            self._read_on_later()

    @property
    def _has_to_wait(self) -> bool:
        """Whether requests wait for their turn, or answers for the client to read them."""
        return bool(self.pipeline) or self.flow.write_paused

    def _read(self, data: bytes | memoryview) -> None:
        raise NotImplementedError

    def _read_in_pieces(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._is_done and not self.transport.is_closing():
            if self._has_to_wait:
                self._leave(bytes(rest))
                return
            self._read(rest[: self.PIECE])
            rest = rest[self.PIECE :]

    def _leave(self, data: bytes) -> None:
        """Read this later, and nothing else before it."""
        self._unread = data
        self.flow.pause_reading()

    def _read_on_later(self) -> None:
        if self._unread:
            self.flow.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._has_to_wait:
            return
        data, self._unread = self._unread, b""
        self._read_in_pieces(data)
        if self._unread or self._is_done or self.transport.is_closing():
            return
        if not self._has_to_wait:
            self.flow.resume_reading()
        if self._has_ended and not self.eof_received():
            self.transport.close()
