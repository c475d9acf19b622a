"""Reads of pages: some at a time, shared by equal requests, cancelled with their last caller."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from time import perf_counter
from typing import Generic, TypeVar

from app.framework.observability.metrics.queues import QueueMeasures
from app.framework.projections import Entry, copied
from app.framework.storage import Overloaded, StorageTimeout, StorageUnavailable

WantedT = TypeVar("WantedT", bound=Hashable)


class PageReads(Generic[WantedT]):
    """Reads pages of one kind, `at_once` at a time; the others wait in a bounded queue.

    Callers of the same page share a read that has not started; a started one may miss their
    writes. A read without callers is removed from the queue, or cancelled if it is under way.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[WantedT], Awaitable[Sequence[Entry]]],
        *,
        at_once: int,
        max_queued: int,
    ) -> None:
        """Read with `read`, which must end in time.

        StorageUnavailable fails all queued reads, so that they do not wait for one timeout after
        the other; StorageTimeout and other errors fail one read only.

        Args:
            name: the name of the queue, in errors and metrics.
            read: reads a page; when it is cancelled, the database must stop working on it.
            at_once: the most reads under way.
            max_queued: the most reads that may wait.

        """
        self._name = name
        self._read = read
        self._at_once = at_once
        self._bound = max_queued
        self._queue: dict[WantedT, _Read] = {}
        self._beginning: dict[WantedT, _Read] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False
        self._measures = QueueMeasures(name)

    async def read(self, wanted: WantedT) -> Sequence[Entry]:
        """The page; each caller gets a copy of its own.

        Raises:
            Overloaded: too many reads wait; this one did not start.
            StorageUnavailable: the reads are closed, or the storage cannot be reached.

        """
        if self._closed:
            raise StorageUnavailable("MongoDB", "the process is stopping")
        read = self._queue.get(wanted) or self._beginning.get(wanted) or self._submit(wanted)
        read.callers += 1
        read.is_shared = read.is_shared or read.callers > 1
        try:
            entries = await asyncio.shield(read.page)
        finally:
            read.callers -= 1
            if not read.callers and not read.page.done():
                self._abandon(wanted, read)
        return [_copy(each) for each in entries] if read.is_shared else entries

    async def close(self) -> None:
        """Refuse further reads, and return once all accepted ones have results."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _submit(self, wanted: WantedT) -> "_Read":
        if len(self._queue) >= self._bound:
            self._measures.refused.value += 1
            raise Overloaded(self._name, self._bound)
        read = self._queue[wanted] = _Read()
        self._measures.length.value += 1
        self._begin_some()
        return read

    def _begin_some(self) -> None:
        while self._queue and len(self._running) < self._at_once:
            wanted = next(iter(self._queue))
            read = self._beginning[wanted] = self._queue.pop(wanted)
            self._measures.length.value -= 1
            # A read serves several requests, so it runs in a context of its own.
            read.task = asyncio.get_running_loop().create_task(
                self._run(wanted, read), name=self._name, context=Context()
            )
            self._running.add(read.task)
            # Not in `_run`: if cancelled at once, it does not run at all.
            read.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin_some()

    async def _run(self, wanted: WantedT, read: "_Read") -> None:
        # One turn of the event loop lets callers of the same page join.
        await asyncio.sleep(0)
        del self._beginning[wanted]
        began = self._measures.begin(read.callers, read.since)
        try:
            read.succeed(await self._read(wanted))
        except StorageUnavailable as error:
            # A cancelled driver may raise the error of an outage.
            if read.callers and not isinstance(error, StorageTimeout):
                self._fail_queue(error)
            read.fail(error)
        except asyncio.CancelledError:
            read.fail(StorageUnavailable("MongoDB", "a call was cancelled"))
            raise
        except Exception as error:  # noqa: BLE001 - it is raised to the callers
            read.fail(error)
        finally:
            self._measures.end(began)

    def _fail_queue(self, error: StorageUnavailable) -> None:
        for each in self._queue.values():
            each.fail(error)
        self._measures.length.value -= len(self._queue)
        self._queue.clear()

    def _abandon(self, wanted: WantedT, read: "_Read") -> None:
        if read.task is None:
            del self._queue[wanted]
            self._measures.length.value -= 1
            return
        if self._beginning.get(wanted) is read:
            del self._beginning[wanted]
        read.task.cancel()


class _Read:
    """One read: its future page, the number of its callers, and its task once it has started."""

    def __init__(self) -> None:
        self.page: asyncio.Future[Sequence[Entry]] = asyncio.get_running_loop().create_future()
        self.since = perf_counter()
        self.callers = 0
        self.is_shared = False
        self.task: asyncio.Task[None] | None = None

    def succeed(self, entries: Sequence[Entry]) -> None:
        if not self.page.done():
            self.page.set_result(entries)

    def fail(self, error: Exception) -> None:
        # Otherwise asyncio logs an error that no caller is left to retrieve.
        if self.callers and not self.page.done():
            self.page.set_exception(error)


def _copy(entry: Entry) -> Entry:
    return Entry(entry.key, copied(entry.document), entry.position)
