"""Batches: many small calls become few large ones."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from time import perf_counter
from typing import Generic, TypeVar

from app.framework.observability import tracing
from app.framework.observability.metrics.queues import QueueMeasures
from app.framework.observability.tracing import CurrentSpan
from app.framework.storage import Overloaded, StorageUnavailable

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_Entry = tuple[ItemT, asyncio.Future[ResultT], float, CurrentSpan]
"""An item, its future result, when it came, and the span that waits for it."""


class Batcher(Generic[ItemT, ResultT]):
    """Sends the items of many callers in one call, and gives each its own result.

    If a call is free, an item goes out at once, with all others that are submitted before the event
    loop has polled for input again. Otherwise items queue, and go out together when a call
    returns: batches grow with the load. Order is kept within a batch and, with a `concurrency` of
    1, between batches.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT | Exception]]],
        *,
        storage: str,
        largest: int,
        max_queued: int,
        concurrency: int = 1,
    ) -> None:
        """Make calls with `call`, which returns one result per item, in order.

        Args:
            name: the name of the queue, in errors and metrics.
            call: a result that is an exception is raised to its own caller only; an error of
                `call` itself is raised to every caller of the batch. It must end in time.
            storage: the name of the storage in errors.
            largest: the most items in a call.
            max_queued: the most items that may wait.
            concurrency: the most calls in flight.

        """
        self._name = name
        self._storage = storage
        self._call = call
        self._largest = largest
        self._bound = max_queued
        self._concurrency = concurrency
        self._waiting: deque[_Entry[ItemT, ResultT]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._starting = False
        self._closed = False
        self._measures = QueueMeasures(name)

    def submit(self, item: ItemT) -> asyncio.Future[ResultT]:
        """A future of the result of `item`. Cancelling it does not affect other items.

        Raises:
            Overloaded: too many items wait; this one is not sent.
            StorageUnavailable: the batcher is closed; this one is not sent. When awaited: `call`
                raised it, for this batch or the one before.

        """
        if self._closed:
            raise StorageUnavailable(self._storage, "the process is stopping")
        if len(self._waiting) >= self._bound:
            self._make_room()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()
        self._waiting.append((item, future, perf_counter(), tracing.current_span()))
        self._measures.length.value += 1
        if not self._starting and len(self._workers) < self._concurrency:
            self._start_worker(loop)
        return future

    async def close(self) -> None:
        """Refuse further items, and return once all accepted ones have results."""
        self._closed = True
        while self._workers:
            await asyncio.wait(self._workers)

    def _make_room(self) -> None:
        # Callers time out in order of arrival, so cancelled ones are at the front.
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
            self._measures.length.value -= 1
        if len(self._waiting) >= self._bound:
            self._measures.refused.value += 1
            raise Overloaded(self._name, self._bound)

    def _start_worker(self, loop: asyncio.AbstractEventLoop) -> None:
        # It takes everything that is submitted in the next two turns of the loop.
        self._starting = True
        # A call serves many requests, so it runs in a context of its own; in that of another call
        # PyMongo would find the other's deadline.
        self._workers.add(loop.create_task(self._work(), name=self._name, context=Context()))

    async def _work(self) -> None:
        try:
            while True:
                # One turn of the loop lets further callers join, for example those that the last
                # answer woke: many small batches become few large ones.
                await asyncio.sleep(0)
                self._starting = False
                if not (batch := self._next_batch()):
                    return
                await self._send(batch)
        finally:
            # Here, not in a callback: an item submitted in between would start no worker.
            self._workers.discard(asyncio.current_task())

    def _next_batch(self) -> list[_Entry[ItemT, ResultT]]:
        batch: list[_Entry[ItemT, ResultT]] = []
        waiting = self._waiting
        while waiting and len(batch) < self._largest:
            entry = waiting.popleft()
            self._measures.length.value -= 1
            if not entry[1].done():
                batch.append(entry)
        if waiting and not self._starting and len(self._workers) < self._concurrency:
            self._start_worker(asyncio.get_running_loop())
        return batch

    async def _send(self, batch: list[_Entry[ItemT, ResultT]]) -> None:
        began = self._measures.begin(len(batch), batch[0][2])
        try:
            with tracing.batch(f"batch: {self._name}", (each[3] for each in batch)):
                results = await self._call([each[0] for each in batch])
        except StorageUnavailable as error:
            # Otherwise each queued batch would wait for a timeout of its own, one after the other,
            # far longer than the 5 s that callers are promised.
            self._fail_with_waiting(batch, error)
        except asyncio.CancelledError:
            self._fail_with_waiting(
                batch, StorageUnavailable(self._storage, "a call was cancelled")
            )
            raise
        except Exception as error:  # noqa: BLE001 - it is raised to the waiters
            _fail(batch, error)
        else:
            self._settle(batch, results)
        finally:
            self._measures.end(began)

    def _settle(
        self, batch: list[_Entry[ItemT, ResultT]], results: Sequence[ResultT | Exception]
    ) -> None:
        if len(results) != len(batch):
            wrong = f"{self._name} answered {len(results)} results for {len(batch)} items."
            _fail(batch, RuntimeError(wrong))
            return
        for (_, future, *_), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _fail_with_waiting(self, batch: list[_Entry[ItemT, ResultT]], error: Exception) -> None:
        _fail(batch, error)
        _fail(self._waiting, error)
        self._measures.length.value -= len(self._waiting)
        self._waiting.clear()


def _fail(entries: Iterable[_Entry[ItemT, ResultT]], error: Exception) -> None:
    for _, future, *_ in entries:
        if not future.done():
            future.set_exception(error)
