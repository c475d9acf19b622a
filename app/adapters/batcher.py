"""Many small calls made into few large ones."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from app.framework.storage import Overloaded, StorageUnavailable

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_Entry = tuple[ItemT, asyncio.Future[ResultT]]


class Batcher(Generic[ItemT, ResultT]):
    """Sends items that come together in one call, and gives each its own result.

    An item that finds a call free goes out at once, with all that are submitted until the
    event loop has looked for input again. Items that find every call taken wait, and go out
    together once one has returned: the busier, the larger the batches. Order is kept within
    and, with a `concurrency` of 1, between them.
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
        """Make calls with `call`, which answers a result an item, in their order.

        Args:
            name: what is named when the queue is full.
            call: a result that is an exception is raised to its own waiter only; what `call`
                itself raises is raised to every waiter of the batch. It must end in time.
            storage: what is named when a call fails for want of it.
            largest: the most items in a call.
            max_queued: the most items that may wait to be sent.
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

    def submit(self, item: ItemT) -> asyncio.Future[ResultT]:
        """The result of `item`, to be awaited. Cancelling it leaves the others alone.

        Raises:
            Overloaded: too many items wait; this one will not be sent.
            StorageUnavailable: the batcher is closed; this one will not be sent. When
                awaited: `call` raised it, for this batch or the one before.

        """
        if self._closed:
            raise StorageUnavailable(self._storage, "the process is stopping")
        if len(self._waiting) >= self._bound:
            self._make_room()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()
        self._waiting.append((item, future))
        if not self._starting and len(self._workers) < self._concurrency:
            self._start_worker(loop)
        return future

    async def close(self) -> None:
        """Refuse further items and return once those accepted are answered."""
        self._closed = True
        while self._workers:
            await asyncio.wait(self._workers)

    def _make_room(self) -> None:
        # Waiters give up in the order they came, so those gone are at the front.
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        if len(self._waiting) >= self._bound:
            raise Overloaded(self._name, self._bound)

    def _start_worker(self, loop: asyncio.AbstractEventLoop) -> None:
        # It takes what is submitted until the loop's next turn but one.
        self._starting = True
        # A call serves many requests, so it runs in the context of none; nor in that of another
        # call, where PyMongo would find the other's deadline.
        self._workers.add(loop.create_task(self._work(), name=self._name, context=Context()))

    async def _work(self) -> None:
        try:
            while True:
                # A turn of the loop, for what was read from clients along with the last answer,
                # and for those who ask again upon it: many small batches become few large ones.
                await asyncio.sleep(0)
                self._starting = False
                if not (batch := self._next_batch()):
                    return
                await self._send(batch)
        finally:
            # At once, not in a callback: an item submitted in between would start no worker.
            self._workers.discard(asyncio.current_task())

    def _next_batch(self) -> list[_Entry[ItemT, ResultT]]:
        batch: list[_Entry[ItemT, ResultT]] = []
        waiting = self._waiting
        while waiting and len(batch) < self._largest:
            entry = waiting.popleft()
            if not entry[1].done():
                batch.append(entry)
        if waiting and not self._starting and len(self._workers) < self._concurrency:
            self._start_worker(asyncio.get_running_loop())
        return batch

    async def _send(self, batch: list[_Entry[ItemT, ResultT]]) -> None:
        try:
            results = await self._call([item for item, _ in batch])
        except StorageUnavailable as error:
            # Those behind would each sit through a timeout of their own, one batch after
            # the other, and answer far later than the 5 s that callers are promised.
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

    def _settle(
        self, batch: list[_Entry[ItemT, ResultT]], results: Sequence[ResultT | Exception]
    ) -> None:
        if len(results) != len(batch):
            wrong = f"{self._name} answered {len(results)} results for {len(batch)} items."
            _fail(batch, RuntimeError(wrong))
            return
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _fail_with_waiting(self, batch: list[_Entry[ItemT, ResultT]], error: Exception) -> None:
        _fail(batch, error)
        _fail(self._waiting, error)
        self._waiting.clear()


def _fail(entries: Iterable[_Entry[ItemT, ResultT]], error: Exception) -> None:
    for _, future in entries:
        if not future.done():
            future.set_exception(error)
