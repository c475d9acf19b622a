"""Reads that wait until the read model holds what the reader wrote."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TypeVar

from app.projecting.ports import Entry, PageRequest, ProjectionStatus, ReadModelBehind, Views

LOOK_SECONDS = 0.01
"""How often the read model is asked how far it is while anybody waits for it."""

_required: ContextVar[int] = ContextVar("required_position", default=0)

ResultT = TypeVar("ResultT")


@contextlib.contextmanager
def reading_at_least(position: int) -> Iterator[None]:
    """Have everything read within from `ConsistentViews` hold the log up to `position`."""
    token = _required.set(position)
    try:
        yield
    finally:
        _required.reset(token)


class ConsistentViews:
    """Implements Views: those of another, but reads wait until they hold what they must.

    One look-up at a time serves all who wait, whatever they wait for.
    """

    def __init__(self, views: Views, *, seconds: float) -> None:
        """Let a read wait up to `seconds`; then it raises ReadModelBehind."""
        self._views = views
        self._seconds = seconds
        self._waiting: set[_Waiter] = set()
        self._watching: asyncio.Task[None] | None = None

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        """As `Views.get` says."""
        position = max(at_least, _required.get())
        if not position:
            return await self._views.get(view, key)
        return await self._read(
            view, position, lambda: self._views.get(view, key, at_least=position)
        )

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        """As `Views.page` says."""
        position = max(at_least, _required.get())
        if not position:
            return await self._views.page(view, request)
        return await self._read(
            view, position, lambda: self._views.page(view, request, at_least=position)
        )

    async def positions(self) -> Mapping[str, int]:
        """As `Views.positions` says."""
        return await self._views.positions()

    async def statuses(self) -> Sequence[ProjectionStatus]:
        """As `Views.statuses` says."""
        return await self._views.statuses()

    async def _read(
        self, view: str, position: int, read: Callable[[], Awaitable[ResultT]]
    ) -> ResultT:
        deadline = asyncio.get_running_loop().time() + self._seconds
        while True:
            try:
                return await read()
            except ReadModelBehind as behind:
                await self._wait(_Waiter(view, position), deadline, behind)

    async def _wait(self, waiter: "_Waiter", deadline: float, behind: ReadModelBehind) -> None:
        self._waiting.add(waiter)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="consistency")
        try:
            async with asyncio.timeout_at(deadline):
                await waiter.reached
        except TimeoutError:
            raise behind from None
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
            await asyncio.sleep(LOOK_SECONDS)


class _Waiter:
    """Somebody who waits for `view` to come to `position`."""

    def __init__(self, view: str, position: int) -> None:
        self._view = view
        self._position = position
        self.reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(self, positions: Mapping[str, int]) -> None:
        if not self.reached.done() and positions.get(self._view, 0) >= self._position:
            self.reached.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.reached.done():
            self.reached.set_exception(error)
