"""How far an export or import has come, and what it does while a database is away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from app.framework.observability.outages import end_outages, note_outage
from app.framework.storage import StorageUnavailable

ResultT = TypeVar("ResultT")


class Bar(Protocol):
    """How far something has come."""

    def at(self, done: int) -> None:
        """So many events are done."""
        ...


class Progress(Protocol):
    """Shows how far something comes during a `with` block."""

    def __call__(self, description: str, total: int, *, done: int) -> AbstractContextManager[Bar]:
        """Show it beside `description`, out of `total` events, of which `done` were done before."""
        ...


RETRY_SECONDS = 1.0


async def through_outages(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """The result of `work`, which goes on where it was when it is called again.

    It is called again while a storage is unavailable.
    """
    while True:
        try:
            result = await work()
        except StorageUnavailable as error:
            note_outage(error.storage, error)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            end_outages()
            return result
