"""Builds of projections, and the leases of the processes that fill them.

A build is the documents that one version of a projection makes of the log, stored under a name of
their own. One build of each projection serves queries. Others are filled beside it to take its
place, or are kept up to date so that going back to them loses nothing.
"""

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.framework.projections.parking import EVERYTHING, Parked
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


class Condemned(enum.StrEnum):
    """Why the documents of a build can no longer be trusted."""

    LOG_RESTORED = "log-restored"
    DOCUMENTS_LOST = "documents-lost"


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

    position, parked: the checkpoint when the lease was taken, and the parked documents.
    mark: of the event at that position; None if none is stored.
    documents: the identity of the storage of the documents; None if none is stored.
    """

    build: str
    holder: str
    epoch: int
    position: int = 0
    parked: Sequence[Parked] = ()
    mark: str | None = None
    documents: str | None = None


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
    is_released: whether its last holder gave it up in order.
    rate: events a second of late; None if unknown.
    silent_seconds: since its holder was last seen; infinite if none was, or its checkpoint is lost.
    is_dropped: whether its documents are deleted.
    key: the idempotency key that it was begun under.
    parked: the parked documents.
    condemned: why its documents can no longer be trusted; None if they can.
    replay: the keys of those that an operator wants to be replayed, or EVERYTHING.
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
    is_released: bool = False
    rate: float | None = None
    silent_seconds: float = 0.0
    comparison: Comparison | None = None
    is_dropped: bool = False
    key: str | None = None
    parked: Sequence[Parked] = ()
    replay: Collection[str] = ()
    condemned: Condemned | None = None

    @property
    def position(self) -> int:
        return self.status.position or 0

    @property
    def is_over(self) -> bool:
        """Whether it can never serve again."""
        return self.state in (BuildState.RETIRED, BuildState.FAILED)

    @property
    def replaying(self) -> Sequence[Parked]:
        """The parked documents that a holder has to replay, or does now."""
        return [
            each for each in self.parked if EVERYTHING in self.replay or each.key in self.replay
        ]

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
    switches: how often it was decided which build serves.
    switched_seconds: since that was decided last; None if it never was.
    """

    name: str
    builds: Sequence[BuildRecord] = ()
    serving: str | None = None
    yielded: str | None = None
    paused: bool = False
    switches: int = 0
    switched_seconds: float | None = None

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
