"""Wakes the projector in its own process when a worker has appended."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

from app.framework.eventsourcing.signal import LogSignal

_POSITION = struct.Struct("=q")


class GrowthLine:
    """Carries positions of the log from the workers to the projector.

    A hint: a position that finds no room is dropped, and the projector's next poll finds the
    events. The supervisor makes the line, before the processes that share it.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._receiver, self._sender):
            end.setblocking(False)  # noqa: FBT003 - the standard library's

    def send(self, position: int) -> None:
        """Send the position that the log has reached; never blocks and never fails."""
        with contextlib.suppress(OSError):  # it is full, as no projector runs, or closed
            self._sender.send(_POSITION.pack(position))

    @contextlib.contextmanager
    def forwarding(self, signal: LogSignal) -> Iterator[None]:
        """Forward received positions to `signal`, for the length of a `with` block."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._receiver, self._forward, signal)
        try:
            yield
        finally:
            loop.remove_reader(self._receiver)

    def close(self) -> None:
        """Close the line in this process; further positions are dropped."""
        self._receiver.close()
        self._sender.close()

    def _forward(self, signal: LogSignal) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                [position] = _POSITION.unpack(self._receiver.recv(_POSITION.size))
                signal.grown_to(position)
