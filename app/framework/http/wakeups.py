"""Wakes many waiting tasks a few at a time, so that requests need not wait for all of them."""

import asyncio
import time
from collections import deque

SLICE = 32
"""How many tasks continue in one turn of the event loop."""

SHARE = 0.25
"""The share of the event loop's time for these tasks, while some wait."""


class Wakeups:
    """Wakes tasks in the order they came, with pauses for other work."""

    def __init__(self) -> None:
        self._queue: deque[asyncio.Future[None]] = deque()
        self._all_woken: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Return when this caller may continue."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add(waiting)
        await waiting

    def add(self, waiting: asyncio.Future[None]) -> None:
        """Set the result of the future `waiting` when its task may continue."""
        self._queue.append(waiting)
        if self._all_woken is None:
            loop = asyncio.get_running_loop()
            self._all_woken = loop.create_future()
            loop.call_soon(self._wake_some)

    async def all_woken(self) -> None:
        """Return when no task waits."""
        if self._all_woken is not None:
            await asyncio.shield(self._all_woken)

    def _wake_some(self) -> None:
        left = SLICE
        while left and self._queue:
            waiting = self._queue.popleft()
            if not waiting.done():
                waiting.set_result(None)
                left -= 1
        # This runs after the tasks just woken, and so measures their work.
        asyncio.get_running_loop().call_soon(self._rest, time.perf_counter())

    def _rest(self, began: float) -> None:
        if self._queue:
            pause = (time.perf_counter() - began) * (1 / SHARE - 1)
            asyncio.get_running_loop().call_later(pause, self._wake_some)
        elif self._all_woken is not None:
            self._all_woken.set_result(None)
            self._all_woken = None
