"""Waiting for views to come to positions of the log."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping

from app.framework.projections.ports import AheadOfLog, ReadModelBehind, Views
from app.framework.storage import Overloaded

HURRIED_SECONDS = 0.01
"""How often views are looked at while a request waits for them."""

LEISURELY_SECONDS = 0.05
"""How often they are looked at while only those wait who wait for whatever comes."""

DOUBTFUL_SECONDS = 0.1
"""How long views may be behind a position before the log is asked whether it reaches it."""

WAITING = 4096

Head = Callable[[], Awaitable[int]]
"""The position of the last event of the log, as `EventLog.head` says."""


class PositionWatch:
    """Tells when views have come to a position of the log.

    One look-up at a time serves all who wait, whatever they wait for; nobody waiting, there is
    none.
    """

    def __init__(self, views: Views, *, waiting: int = WAITING, head: Head | None = None) -> None:
        """Watch `views`, for up to `waiting` at a time; `head` asks the log, where there is one."""
        self._views = views
        self._head = head
        self._doubting: asyncio.Task[None] | None = None
        self._bound = waiting
        self._waiting: set[_Waiter] = set()
        self._joined = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def reach(
        self,
        views: Collection[str],
        position: int,
        *,
        seconds: float,
        look_seconds: float = HURRIED_SECONDS,
        is_recorded: bool = False,
    ) -> int:
        """The position that all of `views` have come to, once it is `position` or a later one.

        With `is_recorded` the caller has it that there is an event at `position`.

        Raises:
            AheadOfLog: there is none, as far as this process can know.
            ReadModelBehind: it is not within `seconds`.
            Overloaded: too many wait already.
            StorageUnavailable: the storage cannot be reached.

        """
        if len(self._waiting) >= self._bound:
            raise Overloaded("requests that wait for views", self._bound)
        waiter = _Waiter(views, position, look_seconds, is_doubtful=is_recorded)
        self._waiting.add(waiter)
        self._joined.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="position watch")
        if is_recorded and self._doubting is None and self._head is not None:
            self._doubting = asyncio.create_task(self._doubt(self._head), name="log look-up")
        try:
            async with asyncio.timeout(seconds):
                return await waiter.reached
        except TimeoutError:
            raise ReadModelBehind(", ".join(views), position) from None
        finally:
            self._waiting.discard(waiter)
            if not self._waiting:
                self._stop()

    async def _watch(self) -> None:
        while True:
            try:
                positions = await self._views.positions()
            except Exception as error:  # noqa: BLE001 - it is raised to who waits
                for each in self._waiting:
                    each.fail(error)
            else:
                for each in self._waiting:
                    each.tell(positions)
            await self._pause()

    def _stop(self) -> None:
        for task in (self._watching, self._doubting):
            if task is not None:
                task.cancel()
        self._watching = self._doubting = None

    async def _doubt(self, head: Head) -> None:
        """Refuse positions past the head of the log, once views have been behind for a while.

        The log is asked after those in doubt have begun to wait, so what had been recorded by then
        is seen, by other processes too.
        """
        await asyncio.sleep(DOUBTFUL_SECONDS)
        while doubted := [each for each in self._waiting if each.is_doubtful]:
            # While the log cannot be asked, they wait as they would without one.
            with contextlib.suppress(Exception):
                reached = await head()
                for each in doubted:
                    each.settle(reached)
            await asyncio.sleep(DOUBTFUL_SECONDS)
        self._doubting = None

    async def _pause(self) -> None:
        self._joined.clear()
        pause = min((each.look_seconds for each in self._waiting), default=LEISURELY_SECONDS)
        await asyncio.sleep(HURRIED_SECONDS)
        # Whoever joins meanwhile may be in more of a hurry.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._joined.wait(), pause - HURRIED_SECONDS)


class _Waiter:
    """A caller that waits for `views` to come to `position`.

    is_doubtful: whether the log may not reach it, though it should.
    """

    def __init__(
        self, views: Collection[str], position: int, look_seconds: float, *, is_doubtful: bool
    ) -> None:
        self._views = views
        self._position = position
        self.is_doubtful = is_doubtful
        self.look_seconds = look_seconds
        self.reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tell(self, positions: Mapping[str, int]) -> None:
        position = min(positions.get(each, 0) for each in self._views)
        if not self.reached.done() and position >= self._position:
            self.reached.set_result(position)

    def settle(self, head: int) -> None:
        """Wait on if the log, whose head this is, reaches the position; else fail."""
        self.is_doubtful = False
        if self._position > head:
            self.fail(AheadOfLog(self._position))

    def fail(self, error: Exception) -> None:
        if not self.reached.done():
            self.reached.set_exception(error)
