"""Limits of time for what is done often and seldom takes too long."""

import asyncio
from types import TracebackType
from weakref import WeakKeyDictionary


def time_limit(seconds: float) -> "_TimeLimit":
    """As `asyncio.timeout(seconds)`, with one timer of the event loop for all of one length.

    A timer of its own for each request costs more than what most requests do besides: one that
    is cancelled has uvloop go around once more to close it.
    """
    return _TimeLimit(seconds)


class _TimeLimit:
    __slots__ = ("_running", "_seconds", "_timeout")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
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

    def add(self, timeout: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        end = self._ends[timeout] = loop.time() + self._seconds
        if not self._has_timer:
            self._has_timer = True
            loop.call_at(end, self._expire)

    def discard(self, timeout: asyncio.Timeout) -> None:
        self._ends.pop(timeout, None)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._ends:
            timeout, end = next(iter(self._ends.items()))
            if end > now:
                loop.call_at(end, self._expire)
                return
            del self._ends[timeout]
            timeout.reschedule(now)
        self._has_timer = False


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
