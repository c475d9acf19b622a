"""What tests need to run projectors: a log that tells when it is read, stores that fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.eventsourcing import RecordedEvent
from app.framework.projections import (
    Build,
    BuildRecord,
    BuildStore,
    FollowedStore,
    Index,
    Lease,
    Parked,
    Projection,
    ProjectionRecord,
    ProjectionStatus,
    Projector,
    ProjectorOptions,
    TakeOver,
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
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def working(projector: Projector) -> AsyncIterator[None]:
    """Run `projector` in the background, and stop it: a driver may lose a cancellation."""
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        projector.stop()
        await task


class Crash(BaseException):
    """The process is killed: nothing may catch it."""


class EventfulStore:
    """A read model to which something may happen before and after each step of a follower."""

    def __init__(self, store: FollowedStore, happen: Callable[[str], Awaitable[None]]) -> None:
        """Await `happen("before write")`, `happen("after write")`, and so on for each step."""
        self._store = store
        self._happen = happen

    async def prepare(self, build: str, indexes: Sequence[Index]) -> None:
        """As `ProjectionStore.prepare` says."""
        async with self._step("prepare"):
            await self._store.prepare(build, indexes)

    async def load(self, build: str, keys: Collection[str]) -> Mapping[str, Versioned]:
        """As `ProjectionStore.load` says."""
        async with self._step("load"):
            return await self._store.load(build, keys)

    async def write(
        self,
        build: str,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),
    ) -> None:
        """As `ProjectionStore.write` says, but every other document first."""
        half = dict(list(documents.items())[::2])
        rest = {key: each for key, each in documents.items() if key not in half}
        async with self._step("write"):
            await self._store.write(build, half, created=created)
            await self._happen("amid write")
            await self._store.write(build, rest, created=created)

    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int = 0,
        rate: float | None = None,
        mark: str | None = None,
        parked: Sequence[Parked] | None = None,
        replayed: Collection[str] = (),
    ) -> None:
        """As `BuildStore.save` says."""
        async with self._step("save"):
            await self._store.save(
                lease,
                status,
                after=after,
                rate=rate,
                mark=mark,
                parked=parked,
                replayed=replayed,
            )

    async def identity(self, build: str) -> str | None:
        """As `ProjectionStore.identity` says."""
        return await self._store.identity(build)

    async def replace(
        self,
        build: str,
        seen: Mapping[str, Versioned | None],
        due: Mapping[str, Versioned],
    ) -> None:
        """As `ProjectionStore.replace` says, but one document after the other."""
        async with self._step("replace"):
            for key, each in due.items():
                await self._store.replace(build, {key: seen[key]}, {key: each})
                await self._happen("amid replace")

    async def count(self, build: str, *, up_to: int) -> int:
        """As `ProjectionStore.count` says; like those below, no step of a follower's."""
        return await self._store.count(build, up_to=up_to)

    async def scan(self, build: str, *, after: str, limit: int) -> Mapping[str, Versioned]:
        """As `ProjectionStore.scan` says."""
        return await self._store.scan(build, after=after, limit=limit)

    async def adopt(self, log: str) -> str:
        """As `ProjectionStore.adopt` says."""
        return await self._store.adopt(log)

    async def log_identity(self) -> str | None:
        """As `ProjectionStore.log_identity` says."""
        return await self._store.log_identity()

    async def projections(self) -> Sequence[ProjectionRecord]:
        """As `BuildStore.projections` says."""
        return await self._store.projections()

    async def begin(
        self, projection: Projection, *, take_over: TakeOver, known: int, key: str | None = None
    ) -> str | None:
        """As `BuildStore.begin` says."""
        return await self._store.begin(projection, take_over=take_over, known=known, key=key)

    async def acquire(self, build: Build, holder: str) -> Lease | None:
        """As `BuildStore.acquire` says."""
        return await self._store.acquire(build, holder)

    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        """As `BuildStore.renew` says."""
        return await self._store.renew(leases)

    async def release(self, lease: Lease) -> None:
        """As `BuildStore.release` says."""
        await self._store.release(lease)

    async def ask_to_replay(self, build: str, keys: Collection[str]) -> None:
        """As `BuildStore.ask_to_replay` says."""
        await self._store.ask_to_replay(build, keys)

    async def note(self, lease: Lease, **changes: Any) -> None:
        """As `BuildStore.note` says."""
        await self._store.note(lease, **changes)

    async def switch(
        self, name: str, *, serving: str | None, to: str, yields: bool = False
    ) -> bool:
        """As `BuildStore.switch` says."""
        return await self._store.switch(name, serving=serving, to=to, yields=yields)

    async def pause(self, name: str, *, paused: bool) -> bool:
        """As `BuildStore.pause` says."""
        return await self._store.pause(name, paused=paused)

    async def retire(self, name: str, build: str) -> bool:
        """As `BuildStore.retire` says."""
        return await self._store.retire(name, build)

    async def drop(self, name: str, build: str) -> None:
        """As `BuildStore.drop` says."""
        await self._store.drop(name, build)

    @contextlib.asynccontextmanager
    async def _step(self, name: str) -> AsyncIterator[None]:
        await self._happen(f"before {name}")
        yield
        await self._happen(f"after {name}")
