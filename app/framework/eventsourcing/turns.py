"""Turns: what must not be done at the same time is done one after the other, in order."""

import asyncio
from weakref import WeakValueDictionary

from app.framework.storage import Overloaded


class _Turn:
    """An asynchronous context manager that one caller at a time is in.

    callers: how many wait to enter or have entered.
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
    """Turns for each of many keys; callers of one key enter in their order, up to a bound."""

    def __init__(self, bound: int) -> None:
        """Let `bound` callers of one key wait or have entered at most."""
        self._bound = bound
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._turns)

    def turn(self, key: str) -> _Turn:
        """What to enter for a turn with `key`; it counts when entered.

        Raises:
            Overloaded: too many wait for it already.

        """
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = _Turn()
        if turn.callers >= self._bound:
            raise Overloaded(f"commands for {key}", self._bound)
        return turn
