"""What tests need to run projectors: a log that tells when it is read, stores that fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.eventsourcing import RecordedEvent
from app.framework.projections import (
    Projection,
    ProjectionStatus,
    ProjectionStore,
    ProjectorOptions,
    Versioned,
)
from app.framework.projections.follower import Follower

QUICK = ProjectorOptions(
    batch=3,
    rest_seconds=0.001,
    poll_seconds=0.001,
    first_backoff_seconds=0.001,
    last_backoff_seconds=0.002,
    tries=3,
)
"""Options for tests: nothing takes long."""


class WatchedLog:
    """A log that tells when a reader has come to its end."""

    def __init__(self, log: MemoryEventStore) -> None:
        self._log = log
        self._idle = asyncio.Condition()

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        """As `EventLog.read` says."""
        return await self._log.read(after=after, limit=limit)

    async def head(self) -> int:
        """As `EventLog.head` says."""
        return await self._log.head()

    async def wait(self, *, after: int, seconds: float) -> None:
        """As `EventLog.wait` says."""
        if after == await self._log.head():
            async with self._idle:
                self._idle.notify_all()
        await self._log.wait(after=after, seconds=seconds)

    async def read_to_its_end(self) -> None:
        """Return once a reader waits past the last event."""
        async with self._idle:
            await self._idle.wait()


async def catch_up(
    log: MemoryEventStore,
    store: ProjectionStore,
    projection: Projection,
    options: ProjectorOptions = QUICK,
) -> ProjectionStatus:
    """Let a new projector follow the log to its end; where it is then."""
    watched = WatchedLog(log)
    follower = Follower(watched, store, projection, options)
    async with running(follower.run()) as task:
        ended = asyncio.create_task(watched.read_to_its_end())
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        follower.stop()
        await task
    return follower.status


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - of code that sets no event
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(work: Awaitable[Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Run `work` in the background, and cancel it in the end."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


class Crash(BaseException):
    """The process is killed: nothing may catch it."""


class EventfulStore:
    """A projection store to which something may happen before and after each step."""

    def __init__(self, store: ProjectionStore, happen: Callable[[str], Awaitable[None]]) -> None:
        """Await `happen("before write")`, `happen("after write")`, and so on for each step."""
        self._store = store
        self._happen = happen

    async def prepare(self, projection: Projection) -> int:
        """As `ProjectionStore.prepare` says."""
        async with self._step("prepare"):
            return await self._store.prepare(projection)

    async def load(self, projection: Projection, keys: Collection[str]) -> Mapping[str, Versioned]:
        """As `ProjectionStore.load` says."""
        async with self._step("load"):
            return await self._store.load(projection, keys)

    async def write(
        self,
        projection: Projection,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),
    ) -> None:
        """As `ProjectionStore.write` says, but every other document first."""
        half = dict(list(documents.items())[::2])
        rest = {key: each for key, each in documents.items() if key not in half}
        async with self._step("write"):
            await self._store.write(projection, half, created=created)
            await self._happen("amid write")
            await self._store.write(projection, rest, created=created)

    async def count(self, projection: Projection, *, up_to: int) -> int:
        """As `ProjectionStore.count` says; no step of a projector's."""
        return await self._store.count(projection, up_to=up_to)

    async def save(self, projection: Projection, status: ProjectionStatus) -> None:
        """As `ProjectionStore.save` says."""
        async with self._step("save"):
            await self._store.save(projection, status)

    async def serve(self, projection: Projection) -> None:
        """As `ProjectionStore.serve` says."""
        async with self._step("serve"):
            await self._store.serve(projection)

    async def adopt(self, log: str) -> str:
        """As `ProjectionStore.adopt` says; no step of a projector's."""
        return await self._store.adopt(log)

    async def log_identity(self) -> str | None:
        """As `ProjectionStore.log_identity` says; no step of a projector's."""
        return await self._store.log_identity()

    @contextlib.asynccontextmanager
    async def _step(self, name: str) -> AsyncIterator[None]:
        await self._happen(f"before {name}")
        yield
        await self._happen(f"after {name}")
