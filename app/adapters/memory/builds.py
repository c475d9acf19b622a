"""Builds in memory: which there are, which serves, and who works on each."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.framework.projections import (
    LEASE_SECONDS,
    Build,
    BuildRecord,
    BuildState,
    Lease,
    LeaseLost,
    Parked,
    Projection,
    ProjectionRecord,
    ProjectionStatus,
    TakeOver,
    projection_id,
)


@dataclass(slots=True)
class _Build:
    """A build, and what belongs to its lease."""

    record: BuildRecord
    phase: BuildState = BuildState.BUILDING
    holder: str | None = None
    held_since: datetime | None = None
    seen_at: datetime | None = None
    mark: str | None = None
    documents: str | None = None


@dataclass(slots=True)
class _Projection:
    serving: str
    builds: list[str] = field(default_factory=list)
    served: set[str] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    yielded: str | None = None
    paused: bool = False
    switches: int = 0
    switched_at: datetime | None = None


def utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryBuilds:
    """Implements BuildStore."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` returns the time, in UTC."""
        self._clock = clock
        self._builds: dict[str, _Build] = {}
        self._projections: dict[str, _Projection] = {}

    async def projections(self) -> Sequence[ProjectionRecord]:
        now = self._clock()
        return [
            ProjectionRecord(
                name=name,
                builds=[self._record(each, found) for each in found.builds],
                serving=found.serving,
                yielded=found.yielded,
                paused=found.paused,
                switches=found.switches,
                switched_seconds=(now - found.switched_at).total_seconds()
                if found.switched_at
                else None,
            )
            for name, found in sorted(self._projections.items())
        ]

    async def begin(
        self, projection: Projection, *, take_over: TakeOver, known: int, key: str | None = None
    ) -> str | None:
        name, version = projection.name, projection.version
        found = self._projections.get(name)
        begun = found.builds if found else []
        for each in begun:
            if key is not None and self._builds[each].record.key == key:
                return each
        if len(begun) != known:
            return None
        build_id = projection_id(name, version)
        if build_id in begun:
            build_id += f"_b{known + 1}"
        record = BuildRecord(
            id=build_id,
            name=name,
            version=version,
            number=known + 1,
            state=BuildState.BUILDING,
            status=ProjectionStatus.at_the_beginning(projection),
            take_over=take_over,
            key=key,
        )
        self._builds[build_id] = _Build(record)
        self._projections.setdefault(name, _Projection(serving=build_id)).builds.append(build_id)
        return build_id

    async def acquire(self, build: Build, holder: str) -> Lease | None:
        found = self._builds[build.id]
        if not self._is_free(found) and found.holder != holder:
            return None
        found.holder, found.held_since, found.seen_at = holder, self._clock(), self._clock()
        found.record = replace(found.record, epoch=found.record.epoch + 1)
        record = found.record
        return Lease(
            build.id,
            holder,
            record.epoch,
            record.position,
            record.parked,
            found.mark,
            found.documents,
        )

    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        lost = [each for each in leases if not self._is_held(each)]
        for each in leases:
            if each not in lost:
                self._builds[each.build].seen_at = self._clock()
        return lost

    async def release(self, lease: Lease) -> None:
        if self._is_held(lease):
            found = self._builds[lease.build]
            found.holder, found.seen_at = None, self._clock()

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
        changed: Collection[str] = (),  # noqa: ARG002 - nothing is kept beside the documents
    ) -> None:
        found = self._held(lease)
        before = found.record.status
        if (before.position or 0) < after:
            raise LeaseLost(lease.build)
        found.seen_at = self._clock()
        found.mark = mark or found.mark
        saved = replace(
            status,
            position=_later(before.position, status.position),
            head=_later(before.head, status.head),
        )
        found.record = replace(
            found.record,
            status=saved,
            rate=rate,
            parked=found.record.parked if parked is None else parked,
            replay=[each for each in found.record.replay if each not in replayed],
        )

    async def ask_to_replay(self, build: str, keys: Collection[str]) -> None:
        found = self._builds[build]
        found.record = replace(found.record, replay=sorted({*found.record.replay, *keys}))

    async def note(self, lease: Lease, **changes: Any) -> None:
        found = self._held(lease)
        found.phase = changes.pop("state", found.phase)
        found.documents = changes.pop("documents", found.documents)
        found.record = replace(found.record, **changes)

    async def switch(
        self,
        name: str,
        *,
        serving: str | None,
        to: str,
        switches: int | None = None,
        yields: bool = False,
    ) -> bool:
        found = self._projections[name]
        if found.serving != serving or to not in found.builds or to in found.retired:
            return False
        if switches not in (None, found.switches):
            return False
        found.switches += 1
        found.served |= {found.serving, to}
        found.yielded = found.serving if yields else None
        found.serving = to
        found.switched_at = self._clock()
        return True

    async def pause(self, name: str, *, paused: bool) -> bool:
        if name not in self._projections:
            return False
        self._projections[name].paused = paused
        return True

    def note_dropped(self, name: str, build: str) -> None:
        """Record that the documents of a retired build are deleted."""
        self._projections[name].dropped.add(build)

    async def retire(self, name: str, build: str) -> bool:
        found = self._projections[name]
        if build == found.serving or build not in found.builds:
            return False
        found.retired.add(build)
        return True

    def is_paused(self, view: str) -> bool:
        return view in self._projections and self._projections[view].paused

    def serving(self, view: str) -> BuildRecord | None:
        """The serving build of `view`."""
        found = self._projections.get(view)
        return None if found is None else self._builds[found.serving].record

    def _held(self, lease: Lease) -> _Build:
        if not self._is_held(lease):
            raise LeaseLost(lease.build)
        return self._builds[lease.build]

    def _is_held(self, lease: Lease) -> bool:
        found = self._builds.get(lease.build)
        return found is not None and found.record.epoch == lease.epoch

    def _is_free(self, found: _Build) -> bool:
        return found.holder is None or self._silence(found) > LEASE_SECONDS

    def _silence(self, found: _Build) -> float:
        return (self._clock() - found.seen_at).total_seconds() if found.seen_at else math.inf

    def _record(self, build_id: str, projection: _Projection) -> BuildRecord:
        found = self._builds[build_id]
        is_free = self._is_free(found)
        return replace(
            found.record,
            state=_state(found, build_id, projection),
            status=replace(found.record.status, seen_at=found.seen_at),
            holder=None if is_free else found.holder,
            held_since=None if is_free else found.held_since,
            is_free=is_free,
            is_released=found.holder is None and found.record.epoch > 0,
            silent_seconds=self._silence(found),
            is_dropped=build_id in projection.dropped,
        )


def _state(found: _Build, build_id: str, projection: _Projection) -> BuildState:
    if build_id in projection.retired:
        return BuildState.RETIRED
    if build_id == projection.serving:
        return BuildState.SERVING
    if found.record.condemned:
        return BuildState.FAILED
    return BuildState.KEPT if build_id in projection.served else found.phase


def _later(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)
