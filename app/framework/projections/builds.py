"""Builds of projections, and the leases of the processes that fill them.

A build is the documents that one version of a projection makes of the log, stored under a name of
their own. One build of each projection serves queries. Others are filled beside it to take its
place, or are kept up to date so that going back to them loses nothing.
"""

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from app.framework.projections.ports import ProjectionState, ProjectionStatus
from app.framework.projections.projection import Projection

LEASE_SECONDS = 6.0
"""How long a lease lasts after its holder was last seen, by the clock of the store."""


class BuildState(enum.StrEnum):
    """What a build is for."""

    BUILDING = "building"
    COMPARING = "comparing"
    READY = "ready"
    SERVING = "serving"
    KEPT = "kept"
    FAILED = "failed"
    RETIRED = "retired"


class TakeOver(enum.StrEnum):
    """When a build takes the place of the serving one by itself.

    WHEN_CAUGHT_UP: once it has reached the end of the log.
    WHEN_EQUAL: once it was compared with the serving build, if no document differs.
    ON_REQUEST: never.
    """

    WHEN_CAUGHT_UP = "when-caught-up"
    WHEN_EQUAL = "when-equal"
    ON_REQUEST = "on-request"


class LeaseLost(Exception):
    """Another process works on the build now, or its checkpoint is not the one saved last."""

    def __init__(self, build: str) -> None:
        super().__init__(f"The lease of {build} is lost.")


@dataclass(frozen=True, slots=True)
class Build:
    """A build that a process can fill, as it has the fold; `id` names its documents."""

    projection: Projection
    id: str

    @property
    def name(self) -> str:
        return self.projection.name

    @property
    def version(self) -> int:
        return self.projection.version


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to save the checkpoint of a build; a later lease of it has a higher epoch.

    position: the checkpoint when the lease was taken.
    """

    build: str
    holder: str
    epoch: int
    position: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a build compared with the serving one, when it had caught up.

    compared: how many keys either has.
    differing: how many of them differ; `keys` are the first of those.
    """

    compared: int
    differing: int
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A build as it is stored.

    number: counts the builds of a projection from 1.
    status: its position, and what its holder last said.
    has_caught_up: whether it has ever reached the end of the log.
    epoch: of the last lease.
    holder: the process that works on it; None if the last lease was released or has expired.
    is_free: whether `acquire` would succeed. The status of a build that a process without leases
        (an older version of the service) works on is fresh, though no lease is recorded.
    rate: events a second of late; None if unknown.
    silent_seconds: since its holder was last seen.
    is_dropped: whether its documents are deleted.
    key: the idempotency key that it was begun under.
    """

    id: str
    name: str
    version: int
    number: int
    state: BuildState
    status: ProjectionStatus
    take_over: TakeOver = TakeOver.WHEN_CAUGHT_UP
    has_caught_up: bool = False
    epoch: int = 0
    holder: str | None = None
    held_since: datetime | None = None
    is_free: bool = True
    rate: float | None = None
    silent_seconds: float = 0.0
    comparison: Comparison | None = None
    is_dropped: bool = False
    key: str | None = None

    @property
    def position(self) -> int:
        return self.status.position or 0

    def activity(self, *, paused: bool) -> ProjectionState:
        """What the build is doing; `paused` is of its projection."""
        if paused:
            return ProjectionState.PAUSED
        is_active = self.status.state in (ProjectionState.RUNNING, ProjectionState.RETRYING)
        return ProjectionState.ABSENT if is_active and self.is_free else self.status.state


@dataclass(frozen=True, slots=True)
class ProjectionRecord:
    """A projection as it is stored: its builds by number.

    serving: the id of the build that serves; None if none does.
    yielded: the id of a build that no process could follow, so that an older one serves in its
        place; it takes over again by itself.
    paused: whether an operator paused it.
    """

    name: str
    builds: Sequence[BuildRecord] = ()
    serving: str | None = None
    yielded: str | None = None
    paused: bool = False
    switched_seconds: float | None = field(default=None)

    def build(self, build_id: str | None) -> BuildRecord | None:
        """The build with this id."""
        return next((each for each in self.builds if each.id == build_id), None)

    def numbered(self, number: int) -> BuildRecord | None:
        """The build with this number."""
        return next((each for each in self.builds if each.number == number), None)

    def with_head(self, head: int) -> "ProjectionRecord":
        """This record, knowing that the log reaches `head`."""
        return replace(
            self,
            builds=[
                replace(
                    each, status=replace(each.status, head=max(head, each.status.position or 0))
                )
                for each in self.builds
            ],
        )

    @property
    def serving_build(self) -> BuildRecord | None:
        return self.build(self.serving)


def unknown(projections: Iterable[Projection]) -> Sequence[ProjectionRecord]:
    """What a process knows of `projections` that does not reach their store."""
    return [
        ProjectionRecord(
            each.name,
            [
                BuildRecord(
                    each.id,
                    each.name,
                    each.version,
                    number=1,
                    state=BuildState.SERVING,
                    status=ProjectionStatus(
                        each.name, each.version, None, None, ProjectionState.UNKNOWN
                    ),
                )
            ],
            serving=each.id,
        )
        for each in projections
    ]


class BuildStore(Protocol):
    """Stores which builds there are, which of them serves, and who works on each.

    Every method raises StorageUnavailable when the storage cannot be reached. Each change is one
    write of one document: a crash leaves it done or not done.
    """

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection that was ever begun, by name."""
        ...

    async def begin(
        self, projection: Projection, *, take_over: TakeOver, known: int, key: str | None = None
    ) -> str | None:
        """Begin a build of `projection`, if there are `known` builds of it; return its id.

        None if another process began one meanwhile. The first build of all serves at once. A repeat
        with the same `key` returns the same id.
        """
        ...

    async def acquire(self, build: Build, holder: str) -> Lease | None:
        """The lease of a build that no process works on, or that `holder` has; None otherwise."""
        ...

    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        """Extend `leases`; return those that are lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease up, so that another process may have the build at once."""
        ...

    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int = 0,
        rate: float | None = None,
    ) -> None:
        """Save the checkpoint, `status.position`, with the rest of `status`, and extend the lease.

        Save only positions up to which `write` has returned. The stored position never goes back.
        The store sets `seen_at` to the time of its own clock.

        Raises:
            LeaseLost: another process has the lease, or the stored position is before `after`, the
                one saved last: the read model was restored to an earlier state.

        """
        ...

    async def note(self, lease: Lease, **changes: Any) -> None:
        """Set `state`, `comparison` or `has_caught_up` of a build.

        Raises:
            LeaseLost: another process has the lease.

        """
        ...

    async def switch(
        self, name: str, *, serving: str | None, to: str, yields: bool = False
    ) -> bool:
        """Let the build `to` serve if `serving` does now; return whether it serves.

        The one before is kept. With `yields` it takes over again when a process follows it.
        """
        ...

    async def pause(self, name: str, *, paused: bool) -> bool:
        """Pause a projection, or resume it; False if there is none of this name."""
        ...

    async def retire(self, name: str, build: str) -> bool:
        """Give up a build for good, unless it serves; return whether it is given up."""
        ...

    async def drop(self, name: str, build: str) -> None:
        """Delete the documents of a retired build of the projection `name`, and record that."""
        ...
