"""Connections that send an answer at once, and close without losing it."""

import asyncio
from typing import Any, ClassVar


class OrderlyTransport:
    """A transport that joins what is written in a turn, and closes in stages (RFC 9112, 9.6).

    uvicorn writes the head of an answer and its body one after the other. Each would be a call of
    the system and a packet of its own, and wake the client. So what is written first waits for what
    follows in the same turn of the event loop.

    A closed socket answers further input with a reset, and then the other side drops answers that
    it has not read yet. So `close` sends the rest and the end of the stream, then discards input
    until the other side closes too, for at most `LINGER`.

    Everything else is the transport's own. It costs one object per connection.
    """

    LINGER: ClassVar[float] = 1.0
    """In seconds."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | bytearray | memoryview = b""
        self._is_discarding = False
        self.is_closing = transport.is_closing
        self.input_ended = False
        """Whether the other side has closed its side."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data` in this turn of the event loop; after `close` it is discarded."""
        if self._is_discarding:
            return
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(b"".join((held, data)))
        else:
            self._held = data
            self._loop.call_soon(self._send)

    def get_write_buffer_size(self) -> int:
        """How many bytes wait for the other side to take those before."""
        self._send()
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close at once."""
        self._send()
        self._transport.abort()

    def close(self) -> None:
        """Close once everything written is sent."""
        if self.is_closing():
            return
        self._send()
        if self.input_ended:
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the other side is gone already
            self._transport.abort()
            return
        self._is_discarding = True
        self.is_closing = _yes
        self.discard_input()
        self._transport.resume_reading()
        self._loop.call_later(self.LINGER, self._transport.close)

    def _send(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(self._held)
        self._held = b""

    def discard_input(self) -> None:
        """Discard further input; the protocol still gets all other events."""
        protocol = self._transport.get_protocol()
        if not isinstance(protocol, _Deaf):
            self._transport.set_protocol(_Deaf(protocol, self))


class _Deaf(asyncio.Protocol):
    """Replaces a protocol that reads nothing more."""

    def __init__(self, protocol: asyncio.BaseProtocol, transport: OrderlyTransport) -> None:
        self._transport = transport
        self.connection_lost = protocol.connection_lost  # type: ignore[method-assign]
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        """Throw it away."""

    def eof_received(self) -> bool:
        """Keep the connection for an answer under way."""
        self._transport.input_ended = True
        return not self._transport.is_closing()


def _yes() -> bool:
    return True
