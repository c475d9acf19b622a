"""The signals that stop the service."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stoppable(Protocol):
    """A server that can be stopped, such as uvicorn's, which only `serve` imports."""

    should_exit: bool

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a further call shortens the wait."""
        ...


class StopRequest:
    """Records that a stop was requested, and passes it to the server if there is one.

    Within the `with` block signals interrupt only what is `interruptible`: not the start of the
    embedded servers, which could leave one running, and not their stop. After a second Ctrl-C the
    server does not wait for requests under way.
    """

    def __init__(self) -> None:
        self.requested = False
        self._interruptible = False
        self._server: Stoppable | None = None

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            handle(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        # Nothing is left to stop, and the exit status shows the result.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal end this block, with 128 + its number as the exit status."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def hand_to(self, server: Stoppable) -> None:
        """Stop `server` when a stop is, or was, requested."""
        self._server = server
        server.should_exit = self.requested

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._interruptible:
            raise SystemExit(128 + number)
        if self._server is not None:
            self._server.handle_exit(number, frame)


def handle(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
    """Let `handler` handle the signal, but not a SIGHUP that nohup has disabled."""
    if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
        return
    signal.signal(number, handler)
