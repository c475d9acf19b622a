"""A wake-up call from those who append to those who read."""

import asyncio
import contextlib


class LogSignal:
    """Tells readers of the log in this process that it has grown."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()
        self._position = 0

    def grown_to(self, position: int) -> None:
        """Wake all who wait for a position past one before `position`."""
        if position > self._position:
            self._position = position
            self._grown.set()
            self._grown.clear()

    async def wait(self, *, after: int, seconds: float) -> None:
        """As `EventLog.wait` says."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._position <= after:
                    await self._grown.wait()
