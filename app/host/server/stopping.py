"""The signals that ask the service to stop."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stoppable(Protocol):
    """The server, as far as a stop goes; uvicorn's is one, and only `serve` imports that."""

    should_exit: bool

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and sooner when it is called again."""
        ...


class StopRequest:
    """Remembers that a stop was asked for, and tells the server if there is one.

    Nothing is interrupted by a signal within the `with` block, unless it is `interruptible`:
    not the start of the embedded servers, which could leave one behind, and not their stop. A
    second Ctrl-C makes the server give up on requests that are still being answered.
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
        # Nothing is left to stop, and the exit status shall tell how it went.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal end what is done in this block, with 128 + its number for exit status."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def hand_to(self, server: Stoppable) -> None:
        """Let `server` stop when a stop is, or was, asked for."""
        self._server = server
        server.should_exit = self.requested

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._interruptible:
            raise SystemExit(128 + number)
        if self._server is not None:
            self._server.handle_exit(number, frame)


def handle(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
    """Let `handler` handle the signal; not a hang-up that nohup had us ignore."""
    if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
        return
    signal.signal(number, handler)
