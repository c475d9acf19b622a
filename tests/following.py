"""What tests need to run projectors: a log that tells when it is read, builds to follow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.eventsourcing import RecordedEvent
from app.framework.projections import (
    Build,
    BuildRecord,
    BuildStore,
    FollowedStore,
    Lease,
    Projection,
    ProjectionRecord,
    ProjectionStatus,
    Projector,
    ProjectorOptions,
    TakeOver,
)
from app.framework.projections.follower import Follower

QUICK = ProjectorOptions(
    batch=3,
    rest_seconds=0.001,
    poll_seconds=0.001,
    first_backoff_seconds=0.001,
    last_backoff_seconds=0.002,
    tries=3,
    look_seconds=0.001,
    share_out_seconds=0.0,
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


HOLDER = "tests"
"""Of leases that `take` takes: one holder, which gets a lease also where an earlier one is left."""


async def take(
    store: BuildStore, projection: Projection, take_over: TakeOver = TakeOver.WHEN_CAUGHT_UP
) -> tuple[Build, Lease]:
    """The newest build of this version of `projection`, begun if there is none, and its lease."""
    (known,) = [each for each in await store.projections() if each.name == projection.name] or [
        ProjectionRecord(projection.name)
    ]
    builds = [each.id for each in known.builds if each.version == projection.version]
    begun = (
        builds[-1]
        if builds
        else await store.begin(projection, take_over=take_over, known=len(known.builds))
    )
    assert begun is not None
    build = Build(projection, begun)
    lease = await store.acquire(build, HOLDER)
    assert lease is not None
    return build, lease


async def catch_up(
    log: MemoryEventStore,
    store: FollowedStore,
    projection: Projection,
    options: ProjectorOptions = QUICK,
) -> ProjectionStatus:
    """Let a new follower follow the log to its end; where it is then."""
    watched = WatchedLog(log)
    build, lease = await take(store, projection)
    follower = Follower(watched, store, build, lease, options)
    (record,) = [each for each in await builds(store) if each.id == build.id]
    if record.replay:
        follower.replay(record.replay)
    async with running(follower.run()) as task:
        ended = asyncio.create_task(watched.read_to_its_end())
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        follower.stop()
        await task
    await store.release(lease)
    return follower.status


async def prepare(store: FollowedStore, projection: Projection) -> int:
    """Have a build of `projection` be ready for documents; its checkpoint."""
    build, lease = await take(store, projection)
    await store.prepare(build.id, projection.indexes)
    return lease.position


async def save(store: BuildStore, projection: Projection, status: ProjectionStatus) -> None:
    """Save `status` as the holder of the newest build of `projection`."""
    _, lease = await take(store, projection)
    await store.save(lease, status)


async def serve(store: BuildStore, projection: Projection) -> bool:
    """Let the newest build of this version of `projection` serve."""
    build, _ = await take(store, projection)
    (record,) = [each for each in await store.projections() if each.name == projection.name]
    return await store.switch(projection.name, serving=record.serving, to=build.id)


async def statuses(store: BuildStore) -> Sequence[ProjectionStatus]:
    """The stored status of each build."""
    return [each.status for each in await builds(store)]


async def builds(store: BuildStore) -> Sequence[BuildRecord]:
    """Every build that is stored."""
    return [each for record in await store.projections() for each in record.builds]


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - of code that sets no event
            await asyncio.sleep(0)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once what `condition` looks up holds."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - of a store, which sets no event
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def running(work: Awaitable[Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Run `work` in the background, and cancel it in the end."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        while not task.done():  # a driver may lose the cancellation
            task.cancel()
            await asyncio.wait([task], timeout=1)


@contextlib.asynccontextmanager
async def working(projector: Projector) -> AsyncIterator[None]:
    """Run `projector` in the background, and stop it: a driver may lose a cancellation."""
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        projector.stop()
        await task
