"""Events of which a test says when they happen."""

import asyncio
import contextlib

from app.framework.http.broadcast import EventBatch
from app.framework.request import RequestContext

AT_ONCE = 200


class Happenings:
    """A source of events as streams look for them; it notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int | None] = []
        self._events: dict[int, str] = {}
        self._reached = 0
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def happen(self, *events: tuple[int, str], reached: int = 0) -> None:
        """Have events happen, and the views come to the last, or to `reached`."""
        self._events |= dict(events)
        self._reached = max(self._reached, reached, *self._events, 0)
        self._changed.set()

    def fail(self, error: Exception | None) -> None:
        """Have looks raise this from now on."""
        self._error = error
        self._changed.set()

    async def look(self, after: int | None, seconds: float, _: RequestContext) -> EventBatch:
        """What comes after an id, or nothing within so many seconds."""
        self.asked.append(after)
        await asyncio.sleep(0)
        if after is not None and after >= self._reached and self._error is None:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds or 0.001)
        if self._error is not None:
            raise self._error
        if after is None:
            return EventBatch((), self._reached)
        found = sorted((each, self._events[each]) for each in self._events if each > after)
        last = found[AT_ONCE - 1][0] if len(found) > AT_ONCE else self._reached
        return EventBatch(found[:AT_ONCE], max(after, last))
