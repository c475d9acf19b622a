"""Turns for many tasks that wake at the same time, so that requests need not wait for all."""

import asyncio
import time
from collections import deque

SLICE = 32
"""How many callers continue in one turn of the event loop."""

SHARE = 0.25
"""The share of the event loop's time for all callers, while some wait."""


class Turns:
    """Lets some callers continue at a time, with pauses for other work."""

    def __init__(self) -> None:
        self._queue: deque[asyncio.Future[None]] = deque()
        self._all_taken: asyncio.Future[None] | None = None

    async def take(self) -> None:
        """Return when it is this caller's turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.give(turn)
        await turn

    def give(self, turn: asyncio.Future[None]) -> None:
        """Set the result of the future `turn` when its turn comes."""
        self._queue.append(turn)
        if self._all_taken is None:
            loop = asyncio.get_running_loop()
            self._all_taken = loop.create_future()
            loop.call_soon(self._let_some_go)

    async def all_taken(self) -> None:
        """Return when no caller waits."""
        if self._all_taken is not None:
            await asyncio.shield(self._all_taken)

    def _let_some_go(self) -> None:
        left = SLICE
        while left and self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                left -= 1
        # This runs after the callers of this turn, and so measures their work.
        asyncio.get_running_loop().call_soon(self._rest, time.perf_counter())

    def _rest(self, began: float) -> None:
        if self._queue:
            pause = (time.perf_counter() - began) * (1 / SHARE - 1)
            asyncio.get_running_loop().call_later(pause, self._let_some_go)
        elif self._all_taken is not None:
            self._all_taken.set_result(None)
            self._all_taken = None
