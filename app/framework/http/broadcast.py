"""Events for many readers: read and encoded once for all of them."""

import asyncio
import bisect
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from app.framework.eventsourcing import UnreadableEvent
from app.framework.http.unreadable_events import note_unreadable
from app.framework.http.wakeups import Wakeups
from app.framework.observability.outages import note_outage
from app.framework.principal import THE_SERVICE
from app.framework.request import RequestContext
from app.framework.storage import StorageUnavailable

LOOK_SECONDS = 3.0
"""How long one read for the next events may take; shorter than the deadline of a message."""

KEPT_BYTES = 16 * 1024 * 1024
"""How many bytes of recent events are cached for later readers."""

BLOCK = 200
"""Readers that lag read from multiples of this id, so that they share reads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events as (id, data), and the id after which to continue.

    The data have one line, for every reader: see `one_line`.
    """

    events: Sequence[tuple[int, str]]
    last_id: int


Look = Callable[[int | None, float, RequestContext], Coroutine[Any, Any, EventBatch]]
"""Returns the events after an id, or, if there are none, those that come within some seconds. With
None: no events, but the id after which new ones will come. The id is at least the minimum position
of the request."""


class Part:
    """All events with ids after `begin` up to `last_id`, encoded."""

    def __init__(self, begin: int, batch: EventBatch) -> None:
        self.begin = begin
        self.last_id = batch.last_id
        pieces = [f"id: {number}\ndata: {data}\n\n".encode() for number, data in batch.events]
        self._text = b"".join(pieces)
        self._ids = [number for number, _ in batch.events]
        self._starts = [0]
        for each in pieces:
            self._starts.append(self._starts[-1] + len(each))

    @property
    def size(self) -> int:
        """An upper bound of its bytes in memory."""
        return len(self._text) + 100 * (len(self._ids) + 1)

    def past(self, event_id: int) -> bytes:
        """The events after `event_id`; the same object for all readers of the whole part."""
        return self._text[self._starts[bisect.bisect_right(self._ids, event_id)] :]


class Broadcast:
    """Sends new events to all readers.

    Readers that have caught up wait for one read together. Its events are cached for a while, for
    readers that lag. Readers continue a few at a time.
    """

    def __init__(self, name: str, look: Look, stopping: asyncio.Event) -> None:
        self._name = name
        self._look = look
        self._stopping = stopping
        self._parts = _Parts()
        self._looks: dict[int | None, asyncio.Task[Part]] = {}
        self._head = -1
        self._logged: Exception | None = None
        self._waiting: dict[asyncio.Future[None], float] = {}
        self._watching: asyncio.Task[None] | None = None
        self._wakeups = Wakeups()

    async def first(self, after: int) -> Part:
        """The first part for a new reader, which may be empty.

        Raises what a look raises.
        """
        if after > self._head:
            await self._read(None)
        if after > self._head:
            return await self._read(after)
        part = _nothing(after)
        if after < self._head:
            part = self._parts.find(after) or await self._read(self._parts.start(after))
        await self._wakeups.wait()
        return part

    async def next(self, after: int, due: float) -> Part | None:
        """The next part for a reader; empty at the time `due`, None if the stream has to end."""
        try:
            while not self._stopping.is_set():
                if part := await self._find(after):
                    await self._wakeups.wait()
                    return part
                await self._wait(due)
                if asyncio.get_running_loop().time() >= due and not self._parts.find(after):
                    return _nothing(after)
        except Exception as error:  # noqa: BLE001 - the answer is under way: all it can do is end
            self._log_once(error)
        return None

    async def _find(self, after: int) -> Part | None:
        part = self._parts.find(after)
        if part is None and after < self._head:
            await self._read(self._parts.start(after))
            part = self._parts.find(after)
        return part

    def _log_once(self, error: Exception) -> None:
        # All readers that share a read get the same error.
        if error is self._logged:
            return
        self._logged = error
        if isinstance(error, UnreadableEvent):
            note_unreadable(error)
        elif isinstance(error, StorageUnavailable):
            note_outage(error.storage, error)
        else:
            _log.warning("Streams of %s end: %s", self._name, error)

    async def _wait(self, due: float) -> None:
        """Return when there is more, or it is `due`, or the service stops."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[woken] = due
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name=self._name, context=Context())
        try:
            await woken
        finally:
            self._waiting.pop(woken, None)

    async def _watch(self) -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            while self._waiting:
                await self._look_once(stopping)
        finally:
            self._watching = None
            stopping.cancel()

    async def _look_once(self, stopping: asyncio.Future[Any]) -> None:
        clock = asyncio.get_running_loop().time
        seconds = min(LOOK_SECONDS, max(0.0, min(self._waiting.values()) - clock()))
        looking = self._start_look(self._head, seconds)
        before = self._head
        await asyncio.wait((looking, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            looking.cancel()
        error = None if stopping.done() else looking.exception()
        is_over = stopping.done() or error is not None or self._head > before
        for woken, due in list(self._waiting.items()):
            if is_over or due <= clock():
                del self._waiting[woken]
                if error is None:
                    self._wakeups.add(woken)
                elif not woken.done():
                    woken.set_exception(error)
        # Events that come meanwhile are sent together, and the readers of this part return.
        await self._wakeups.all_woken()

    async def _read(self, after: int | None) -> Part:
        """A read that is shared by all readers that need it at the same time."""
        looking = self._looks.get(after)
        if looking is None:
            looking = self._looks[after] = self._start_look(after, 0)
            looking.add_done_callback(lambda _: self._looks.pop(after, None))
        return await asyncio.shield(looking)

    def _start_look(self, after: int | None, seconds: float) -> asyncio.Task[Part]:
        # It is for several readers, so it runs in a context of its own.
        looking = self._look_for(after, seconds)
        return asyncio.create_task(looking, name=self._name, context=Context())

    async def _look_for(self, after: int | None, seconds: float) -> Part:
        batch = await self._look(after, seconds, RequestContext(principal=THE_SERVICE))
        part = Part(batch.last_id if after is None else after, batch)
        self._parts.keep(part)
        self._head = max(self._head, part.last_id)
        return part


def _nothing(after: int) -> Part:
    return Part(after, EventBatch((), after))


class _Parts:
    """A cache of recent parts, the last used last."""

    def __init__(self) -> None:
        self._by_begin: OrderedDict[int, Part] = OrderedDict()
        self._begins: list[int] = []
        self._bytes = 0

    def find(self, after: int) -> Part | None:
        """A cached part with the events after the id `after`."""
        part = self._nearest(after)
        if part is None or part.last_id <= after:
            return None
        self._by_begin.move_to_end(part.begin)
        return part

    def start(self, after: int) -> int:
        """Where to start a read for `after` and for readers near it."""
        part = self._nearest(after)
        block = after - after % BLOCK
        return block if part is None else max(block, min(part.last_id, after))

    def keep(self, part: Part) -> None:
        """Cache a part, unless it is empty; the longest unused ones are dropped."""
        if part.last_id <= part.begin:
            return
        self._drop(part.begin)
        self._by_begin[part.begin] = part
        bisect.insort(self._begins, part.begin)
        self._bytes += part.size
        while self._bytes > KEPT_BYTES and len(self._begins) > 1:
            self._drop(next(iter(self._by_begin)))

    def _drop(self, begin: int) -> None:
        part = self._by_begin.pop(begin, None)
        if part is not None:
            self._bytes -= part.size
            del self._begins[bisect.bisect_left(self._begins, begin)]

    def _nearest(self, after: int) -> Part | None:
        place = bisect.bisect_right(self._begins, after)
        return self._by_begin[self._begins[place - 1]] if place else None
