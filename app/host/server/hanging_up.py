"""Connections that send an answer in one piece, and close without losing it."""

import asyncio
from typing import Any, ClassVar


class OrderlyTransport:
    """A transport that joins heads with their bodies, and closes in stages (RFC 9112, 9.6).

    uvicorn writes the head of an answer and its body one after the other. Each would be a call of
    the system and a packet of its own, and wake the client. So a head that gives a length waits for
    the body, or for `flush`.

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
        """Send `data`, unless it is a head without its body; after `close` it is discarded."""
        if self._is_discarding:
            return
        if self._held:
            data, self._held = b"".join((self._held, data)), b""
        elif _lacks_body(data):
            self._held = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Send the head that waits, if one does: nothing follows, or not soon."""
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)

    def get_write_buffer_size(self) -> int:
        """How many bytes wait for the other side to take those before."""
        self.flush()
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close at once."""
        self.flush()
        self._transport.abort()

    def close(self) -> None:
        """Close once everything written is sent."""
        if self.is_closing():
            return
        self.flush()
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


def _lacks_body(data: bytes | bytearray | memoryview) -> bool:
    return (
        isinstance(data, bytes)
        and data.startswith(b"HTTP/1.1 ")
        and data.endswith(b"\r\n\r\n")
        and b"\r\ncontent-length: " in data
    )


def _yes() -> bool:
    return True
