"""Turns: callers of one key run one after the other, in order."""

import asyncio
from weakref import WeakValueDictionary

from app.framework.observability.metrics.queues import count_refusal
from app.framework.storage import Overloaded


class _Turn:
    """An asynchronous context manager that lets in one caller at a time.

    callers: how many wait or have entered.
    """

    def __init__(self) -> None:
        self.callers = 0
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        self.callers += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self.callers -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        self.callers -= 1


class Turns:
    """Turns for many keys: callers of one key enter in order, up to a bound."""

    def __init__(self, bound: int) -> None:
        """Allow at most `bound` callers of one key to wait or have entered."""
        self._bound = bound
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._turns)

    def turn(self, key: str) -> _Turn:
        """A context manager for a turn with `key`; the caller counts once it enters.

        Raises:
            Overloaded: too many callers wait for it.

        """
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = _Turn()
        if turn.callers >= self._bound:
            count_refusal("commands on one aggregate")
            raise Overloaded(f"commands for {key}", self._bound)
        return turn
