"""Waiting for views to come to positions of the log."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping

from app.projecting.ports import ReadModelBehind, Views
from app.storage import Overloaded

HURRIED_SECONDS = 0.01
"""How often views are looked at while a request waits for them."""

LEISURELY_SECONDS = 0.05
"""How often they are looked at while only those wait who wait for whatever comes."""

WAITING = 4096


class PositionWatch:
    """Tells when views have come to a position of the log.

    One look-up at a time serves all who wait, whatever they wait for; nobody waiting, there is
    none.
    """

    def __init__(self, views: Views, *, waiting: int = WAITING) -> None:
        """Watch `views`, for up to `waiting` at a time."""
        self._views = views
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
    ) -> int:
        """The position that all of `views` have come to, once it is `position` or a later one.

        Raises:
            ReadModelBehind: it is not within `seconds`.
            Overloaded: too many wait already.
            StorageUnavailable: the storage cannot be reached.

        """
        if len(self._waiting) >= self._bound:
            raise Overloaded("those who wait for views", self._bound)
        waiter = _Waiter(views, position, look_seconds)
        self._waiting.add(waiter)
        self._joined.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="position watch")
        try:
            async with asyncio.timeout(seconds):
                return await waiter.reached
        except TimeoutError:
            raise ReadModelBehind(", ".join(views), position) from None
        finally:
            self._waiting.discard(waiter)
            if not self._waiting and self._watching is not None:
                self._watching.cancel()
                self._watching = None

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

    async def _pause(self) -> None:
        self._joined.clear()
        pause = min((each.look_seconds for each in self._waiting), default=LEISURELY_SECONDS)
        await asyncio.sleep(HURRIED_SECONDS)
        # Whoever joins meanwhile may be in more of a hurry.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._joined.wait(), pause - HURRIED_SECONDS)


class _Waiter:
    """Somebody who waits for `views` to come to `position`."""

    def __init__(self, views: Collection[str], position: int, look_seconds: float) -> None:
        self._views = views
        self._position = position
        self.look_seconds = look_seconds
        self.reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tell(self, positions: Mapping[str, int]) -> None:
        position = min(positions.get(each, 0) for each in self._views)
        if not self.reached.done() and position >= self._position:
            self.reached.set_result(position)

    def fail(self, error: Exception) -> None:
        if not self.reached.done():
            self.reached.set_exception(error)
