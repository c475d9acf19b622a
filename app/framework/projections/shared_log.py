"""One log, read once for several readers that go along it side by side."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from app.framework.eventsourcing import EventLog, RecordedEvent

KEPT = 3
"""How many full batches are kept for readers that come after."""

_Read = tuple[int, int]


class SharedLog:
    """Implements EventLog: that of another, but who asks for the same is given the same.

    What stands in the log never changes, so a batch that was read in full can be given again.
    One that was not is shared by those only who ask while it is being read.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._reads: OrderedDict[_Read, asyncio.Task[Sequence[RecordedEvent]]] = OrderedDict()

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        read = self._reads.get((after, limit))
        if read is None:
            read = asyncio.create_task(self._read(after, limit))
            read.add_done_callback(_note_error)
            self._reads[after, limit] = read
        # Whoever gives up leaves it to the others.
        return await asyncio.shield(read)

    async def head(self) -> int:
        return await self._log.head()

    async def wait(self, *, after: int, seconds: float) -> None:
        await self._log.wait(after=after, seconds=seconds)

    async def _read(self, after: int, limit: int) -> Sequence[RecordedEvent]:
        events: Sequence[RecordedEvent] = ()
        try:
            events = await self._log.read(after=after, limit=limit)
        finally:
            if len(events) < limit:
                del self._reads[after, limit]
            elif len(self._reads) > KEPT:
                self._drop()
        return events

    def _drop(self) -> None:
        finished = [key for key, read in self._reads.items() if read.done()]
        for key in finished[: len(self._reads) - KEPT]:
            del self._reads[key]


def _note_error(read: asyncio.Task[Sequence[RecordedEvent]]) -> None:
    # Else asyncio logs it as lost when all who waited have given up.
    if not read.cancelled():
        read.exception()
