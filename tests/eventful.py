"""A read model to which something happens at each step, up to the end of its process."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from app.framework.projections import (
    Build,
    FollowedStore,
    Index,
    Lease,
    Parked,
    Projection,
    ProjectionRecord,
    ProjectionStatus,
    TakeOver,
    Versioned,
)


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
        changed: Collection[str] = (),
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
                changed=changed,
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
        self,
        name: str,
        *,
        serving: str | None,
        to: str,
        switches: int | None = None,
        yields: bool = False,
    ) -> bool:
        """As `BuildStore.switch` says."""
        return await self._store.switch(
            name, serving=serving, to=to, switches=switches, yields=yields
        )

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
