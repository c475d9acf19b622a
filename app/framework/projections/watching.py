"""Waiting for views to reach positions of the log."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping

from app.framework.projections.ports import AheadOfLog, ReadModelBehind, Views
from app.framework.storage import Overloaded

FAST_POLL_SECONDS = 0.01
"""How often positions are polled while a request waits for one."""

SLOW_POLL_SECONDS = 0.05
"""How often they are polled while only streams wait, for the next event."""

HEAD_CHECK_SECONDS = 0.1
"""How long views may lag behind a position before its existence in the log is checked."""

MAX_QUEUED = 4096

Head = Callable[[], Awaitable[int]]
"""`EventLog.head`: the position of the last event of the log."""


class PositionWatch:
    """Waits until views have reached a position of the log.

    One look-up at a time serves all waiting callers. Without callers there is none.
    """

    def __init__(
        self, views: Views, *, max_queued: int = MAX_QUEUED, head: Head | None = None
    ) -> None:
        """Watch `views` for up to `max_queued` callers; `head` reads the log, if it is known."""
        self._views = views
        self._head = head
        self._head_check: asyncio.Task[None] | None = None
        self._bound = max_queued
        self._waiting: set[_Waiter] = set()
        self._joined = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def reach(
        self,
        views: Collection[str],
        position: int,
        *,
        seconds: float,
        look_seconds: float = FAST_POLL_SECONDS,
        is_recorded: bool = False,
    ) -> int:
        """The position that all of `views` have reached, once it is at least `position`.

        `is_recorded` says that the log should have an event at `position`.

        Raises:
            AheadOfLog: `is_recorded`, but the log ends before `position`.
            ReadModelBehind: the views do not reach it within `seconds`.
            Overloaded: too many callers wait.
            StorageUnavailable: the storage cannot be reached.

        """
        if len(self._waiting) >= self._bound:
            raise Overloaded("requests that wait for views", self._bound)
        waiter = _Waiter(views, position, look_seconds, is_unchecked=is_recorded)
        self._waiting.add(waiter)
        self._joined.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="position watch")
        if is_recorded and self._head_check is None and self._head is not None:
            self._head_check = asyncio.create_task(self._check_head(self._head), name="head check")
        try:
            async with asyncio.timeout(seconds):
                return await waiter.reached
        except TimeoutError:
            is_paused = any(self._views.is_paused(each) for each in views)
            raise ReadModelBehind(", ".join(views), position, is_paused=is_paused) from None
        finally:
            self._waiting.discard(waiter)
            if not self._waiting:
                self._stop()

    async def _watch(self) -> None:
        while True:
            try:
                positions = await self._views.positions()
            except Exception as error:  # noqa: BLE001 - the callers get it
                for each in self._waiting:
                    each.fail(error)
            else:
                for each in self._waiting:
                    each.tell(positions)
            await self._pause()

    def _stop(self) -> None:
        for task in (self._watching, self._head_check):
            if task is not None:
                task.cancel()
        self._watching = self._head_check = None

    async def _check_head(self, head: Head) -> None:
        """Refuse positions past the head of the log, once views have lagged for a while.

        The head is read after the callers began to wait, so it covers every event recorded
        before, by any process.
        """
        await asyncio.sleep(HEAD_CHECK_SECONDS)
        while unchecked := [each for each in self._waiting if each.is_unchecked]:
            # While the log is unavailable, they wait as they would without one.
            with contextlib.suppress(Exception):
                reached = await head()
                for each in unchecked:
                    each.settle(reached)
            await asyncio.sleep(HEAD_CHECK_SECONDS)
        self._head_check = None

    async def _pause(self) -> None:
        self._joined.clear()
        pause = min((each.look_seconds for each in self._waiting), default=SLOW_POLL_SECONDS)
        await asyncio.sleep(FAST_POLL_SECONDS)
        # A caller that joins meanwhile may need a shorter pause.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._joined.wait(), pause - FAST_POLL_SECONDS)


class _Waiter:
    """A caller that waits for `views` to reach `position`.

    is_unchecked: whether the head of the log still has to be compared with `position`.
    """

    def __init__(
        self, views: Collection[str], position: int, look_seconds: float, *, is_unchecked: bool
    ) -> None:
        self._views = views
        self._position = position
        self.is_unchecked = is_unchecked
        self.look_seconds = look_seconds
        self.reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tell(self, positions: Mapping[str, int]) -> None:
        position = min(positions.get(each, 0) for each in self._views)
        if not self.reached.done() and position >= self._position:
            self.reached.set_result(position)

    def settle(self, head: int) -> None:
        """Fail if the position is past `head`, the head of the log; else continue to wait."""
        self.is_unchecked = False
        if self._position > head:
            self.fail(AheadOfLog(self._position))

    def fail(self, error: Exception) -> None:
        if not self.reached.done():
            self.reached.set_exception(error)
