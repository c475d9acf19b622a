"""Signals from appends to readers of the log."""

import asyncio
import contextlib
from collections.abc import Callable


class LogSignal:
    """Wakes readers of the log in this process when it grows."""

    def __init__(self, report: Callable[[int], object] | None = None) -> None:
        """`report` gets each position past those before, for readers in other processes."""
        self._report = report
        self._grown = asyncio.Event()
        self._position = 0

    def grown_to(self, position: int) -> None:
        """Wake all callers that wait for a position up to `position`."""
        if position > self._position:
            self._position = position
            self._grown.set()
            self._grown.clear()
            if self._report is not None:
                self._report(position)

    @property
    def position(self) -> int:
        """The last position that is known."""
        return self._position

    def set_back(self, known: int, to: int) -> None:
        """Forget a position, as the log has been restored to an earlier state."""
        if self._position == known:
            self._position = to

    async def wait(self, *, after: int, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._position <= after:
                    await self._grown.wait()
