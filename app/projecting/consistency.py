"""Reads that wait until the read model holds what the reader wrote."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TypeVar

from app.projecting.ports import Entry, PageRequest, ProjectionStatus, ReadModelBehind, Views
from app.projecting.watching import PositionWatch

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


def required_position() -> int:
    """What the block of `reading_at_least` asks for; 0 outside of any."""
    return _required.get()


class ConsistentViews:
    """Implements Views: those of another, but reads wait until they hold what they must."""

    def __init__(self, views: Views, watch: PositionWatch, *, seconds: float) -> None:
        """Let a read wait up to `seconds`; then it raises ReadModelBehind."""
        self._views = views
        self._watch = watch
        self._seconds = seconds

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        """As `Views.get` says."""
        position = max(at_least, required_position())
        if not position:
            return await self._views.get(view, key)
        return await self._read(
            view, position, lambda: self._views.get(view, key, at_least=position)
        )

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        """As `Views.page` says."""
        position = max(at_least, required_position())
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
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._seconds
        while True:
            try:
                return await read()
            except ReadModelBehind:
                await self._watch.reach(
                    [view], position, seconds=deadline - clock(), is_recorded=True
                )
