"""Shares reads of the log between followers at the same position."""

import asyncio
from collections.abc import Sequence

from app.framework.eventsourcing import EventLog, RecordedEvent

KEPT = 6
"""How many full batches are cached for later readers."""

_Read = tuple[int, int]


class SharedLog:
    """Implements EventLog. Caches log reads: callers asking for the same range share one query.

    The log only grows, so a full batch can be cached until the log is restored to an earlier state.
    A batch that is not full may grow: only callers that come during the read share it.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._reads: dict[_Read, asyncio.Task[Sequence[RecordedEvent]]] = {}

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        read = self._reads.get((after, limit))
        if read is None:
            read = asyncio.create_task(self._read(after, limit))
            read.add_done_callback(_note_error)
            self._reads[after, limit] = read
        # A caller that is cancelled leaves the read to the others.
        return await asyncio.shield(read)

    def forget(self) -> None:
        """Drop the cached batches: the log may have been restored since they were read."""
        for key in [key for key, read in self._reads.items() if read.done()]:
            del self._reads[key]

    async def head(self) -> int:
        return await self._log.head()

    async def wait(self, *, after: int, seconds: float) -> None:
        await self._log.wait(after=after, seconds=seconds)

    async def _read(self, after: int, limit: int) -> Sequence[RecordedEvent]:
        events: Sequence[RecordedEvent] = ()
        try:
            events = await self._log.read(after=after, limit=limit)
        finally:
            finished = sorted(
                key for key, read in self._reads.items() if read.done() or key == (after, limit)
            )
            if len(events) < limit:
                # Few readers come to the batches just before the end any more.
                due = [key for key in finished if key[0] >= after - KEPT * limit]
            else:
                # The first go: readers up to KEPT batches behind come to the others, and so level.
                due = finished[: max(0, len(self._reads) - KEPT)]
            for key in due:
                del self._reads[key]
        return events


def _note_error(read: asyncio.Task[Sequence[RecordedEvent]]) -> None:
    # Otherwise asyncio logs the error as lost when all callers were cancelled.
    if not read.cancelled():
        read.exception()
