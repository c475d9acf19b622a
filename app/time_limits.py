"""Limits of time for what is done often and seldom takes too long."""

import asyncio
from contextvars import Context
from types import TracebackType
from typing import Protocol
from weakref import WeakKeyDictionary


class Limit(Protocol):
    """A limit of time under way, or over."""

    def expired(self) -> bool:
        """Whether it was reached."""
        ...


def time_limit(seconds: float) -> "_TimeLimit":
    """As `asyncio.timeout(seconds)`, with one timer of the event loop for all of one length.

    A timer of its own for each request costs more than the limit is worth: one that is
    cancelled has uvloop go around once more to close it. For lengths that are few and fixed,
    since what belongs to each is kept as long as the loop.
    """
    return _TimeLimit(seconds)


class _TimeLimit:
    __slots__ = ("_running", "_seconds", "_timeout")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Limit:
        await self._timeout.__aenter__()
        self._running = _running_in_this_loop(self._seconds)
        self._running.add(self._timeout)
        return self._timeout

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.discard(self._timeout)
        await self._timeout.__aexit__(kind, error, traceback)


class _Running:
    """The limits of one length that have begun and not ended, in the order of their ends."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[asyncio.Timeout, float] = {}
        # Not the timer itself, which would keep its loop alive.
        self._has_timer = False
        # The timer is for all, so it runs in the context of none.
        self._context = Context()

    def add(self, timeout: asyncio.Timeout) -> None:
        end = self._ends[timeout] = asyncio.get_running_loop().time() + self._seconds
        if not self._has_timer:
            self._set_timer(end)

    def discard(self, timeout: asyncio.Timeout) -> None:
        self._ends.pop(timeout, None)

    def _set_timer(self, end: float) -> None:
        asyncio.get_running_loop().call_at(end, self._expire, context=self._context)
        self._has_timer = True

    def _expire(self) -> None:
        self._has_timer = False
        now = asyncio.get_running_loop().time()
        reached = []
        for timeout, end in self._ends.items():
            if end > now:
                self._set_timer(end)
                break
            reached.append(timeout)
        for timeout in reached:
            # Once only: what is slow to end is told no second time.
            del self._ends[timeout]
            timeout.reschedule(now)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, _Running]] = WeakKeyDictionary()


def _running_in_this_loop(seconds: float) -> _Running:
    loop = asyncio.get_running_loop()
    by_seconds = _by_loop.get(loop)
    if by_seconds is None:
        by_seconds = _by_loop[loop] = {}
    running = by_seconds.get(seconds)
    if running is None:
        running = by_seconds[seconds] = _Running(seconds)
    return running
