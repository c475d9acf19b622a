"""Reads that wait until the read model has caught up with the reader's writes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.framework.projections.ports import Entry, PageRequest, ReadModelBehind, Views
from app.framework.projections.watching import PositionWatch
from app.framework.request import RequestContext

ResultT = TypeVar("ResultT")


class ConsistentViews:
    """Reads views that have reached the minimum position of the request.

    A read waits for the view, which is why it takes the context of the request.
    """

    def __init__(self, views: Views, watch: PositionWatch, *, seconds: float) -> None:
        """Let a read wait up to `seconds`; then it raises ReadModelBehind."""
        self._views = views
        self._watch = watch
        self._seconds = seconds

    async def get(self, view: str, key: str, context: RequestContext) -> Entry | None:
        """The document of `view` under `key`; see `Views.get` for what it raises.

        Raises:
            ReadModelBehind, AheadOfLog: the view does not reach the minimum position.

        """
        position = context.minimum_position
        if not position:
            return await self._views.get(view, key)
        return await self._read(
            view, position, lambda: self._views.get(view, key, at_least=position)
        )

    async def page(
        self, view: str, request: PageRequest, context: RequestContext
    ) -> Sequence[Entry]:
        """The documents of `view` that `request` describes; see `Views.page`.

        Raises:
            ReadModelBehind, AheadOfLog: the view does not reach the minimum position.

        """
        position = context.minimum_position
        if not position:
            return await self._views.page(view, request)
        return await self._read(
            view, position, lambda: self._views.page(view, request, at_least=position)
        )

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
