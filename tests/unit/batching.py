"""Calls for a batcher to make, which end as a test says."""

import asyncio
from collections.abc import Sequence
from typing import Any

SOON = 5.0
"""What has not happened after so many seconds never will."""


class Calls:
    """A call that waits to be told how it ends; it answers ten times each item."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.endings: list[asyncio.Future[Any]] = []
        self._begun = asyncio.Condition()

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        """The call that a batcher is given."""
        self.batches.append(list(items))
        self.endings.append(asyncio.get_running_loop().create_future())
        async with self._begun:
            self._begun.notify_all()
        results = await self.endings[len(self.batches) - 1]
        return [10 * each for each in items] if results is None else results

    async def begun(self, number: int) -> None:
        """Return once `number` calls have begun."""
        async with asyncio.timeout(SOON), self._begun:
            await self._begun.wait_for(lambda: len(self.batches) >= number)

    def end(self, number: int, results: Sequence[int | Exception] | None = None) -> None:
        """Let call `number` (from 0) answer."""
        self.endings[number].set_result(results)


async def answers(*awaited, return_exceptions: bool = False) -> list[Any]:
    """What all of them come to; an error if one never does."""
    async with asyncio.timeout(SOON):
        return await asyncio.gather(*awaited, return_exceptions=return_exceptions)
