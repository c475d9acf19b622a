"""Projections and their builds, as operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.framework.projections import (
    BuildRecord,
    BuildState,
    Comparison,
    Parked,
    ProjectionRecord,
    ProjectionState,
    TakeOver,
)


@dataclass(frozen=True, slots=True)
class BuildDetails:
    """A build of a projection.

    collection: where its documents are.
    state: what it is for.
    serves: whether queries read it.
    activity: what its holder is doing.
    rate: events a second of late; None if no process works on it.
    seconds_left: until it reaches the head at this rate; None if that is unknown.
    holder: the process that works on it, since `held_since`.
    comparison: with the build that served when this one had caught up.
    parked: how many documents are parked; `replaying` of them are to be replayed.
    """

    projection: str
    number: int
    version: int
    collection: str
    state: BuildState
    serves: bool
    activity: ProjectionState
    position: int | None
    head: int | None
    lag: int | None
    rate: float | None
    seconds_left: float | None
    holder: str | None
    held_since: datetime | None
    seen_at: datetime | None
    take_over: TakeOver
    comparison: Comparison | None
    parked: int
    replaying: int
    last_error: str | None

    @classmethod
    def of(cls, build: BuildRecord, projection: ProjectionRecord) -> "BuildDetails":
        """The details of a build of `projection`."""
        status = build.status
        rate = None if build.is_free else build.rate
        return cls(
            projection=build.name,
            number=build.number,
            version=build.version,
            collection=build.id,
            state=build.state,
            serves=build.id == projection.serving,
            activity=build.activity(paused=projection.paused),
            position=status.position,
            head=status.head,
            lag=status.lag,
            rate=rate,
            seconds_left=_seconds_left(status.lag, rate),
            holder=build.holder,
            held_since=build.held_since,
            seen_at=status.seen_at,
            take_over=build.take_over,
            comparison=build.comparison,
            parked=len(build.parked),
            replaying=len(build.replaying),
            last_error=status.error,
        )


@dataclass(frozen=True, slots=True)
class ProjectionDetails:
    """A projection, with its builds by number; those that were retired are left out.

    serving: the number of the build that serves; None if none does. The members after it are that
        build's.
    """

    name: str
    paused: bool
    serving: int | None
    activity: ProjectionState
    position: int | None
    head: int | None
    lag: int | None
    parked: int
    last_error: str | None
    builds: Sequence[BuildDetails]

    @classmethod
    def of(cls, projection: ProjectionRecord) -> "ProjectionDetails":
        """The details of a projection as it is stored."""
        builds = [BuildDetails.of(each, projection) for each in projection.builds]
        serving = next((each for each in builds if each.serves), None)
        return cls(
            name=projection.name,
            paused=projection.paused,
            serving=serving.number if serving else None,
            activity=serving.activity if serving else ProjectionState.UNKNOWN,
            position=serving.position if serving else None,
            head=serving.head if serving else None,
            lag=serving.lag if serving else None,
            parked=serving.parked if serving else 0,
            last_error=serving.last_error if serving else None,
            builds=[each for each in builds if each.state is not BuildState.RETIRED],
        )


@dataclass(frozen=True, slots=True)
class ParkedDocument:
    """A parked document; see `Parked`.

    is_replaying: whether it is to be replayed, or is now.
    """

    key: str
    position: int
    error: str
    since: datetime
    waiting: int
    is_replaying: bool

    @classmethod
    def of(cls, parked: Parked, *, is_replaying: bool) -> "ParkedDocument":
        """The details of a parked document."""
        return cls(
            parked.key, parked.position, parked.error, parked.since, parked.waiting, is_replaying
        )


@dataclass(frozen=True, slots=True)
class ParkedDocuments:
    """The parked documents of the build that serves, by position.

    build: its number; None if no build serves.
    """

    projection: str
    build: int | None
    items: Sequence[ParkedDocument]

    @classmethod
    def of(cls, projection: ProjectionRecord) -> "ParkedDocuments":
        """The parked documents of a projection as it is stored."""
        build = projection.serving_build
        if build is None:
            return cls(projection.name, None, [])
        replaying = {each.key for each in build.replaying}
        items = [
            ParkedDocument.of(each, is_replaying=each.key in replaying)
            for each in sorted(build.parked, key=lambda it: (it.position, it.key))
        ]
        return cls(projection.name, build.number, items)


def _seconds_left(lag: int | None, rate: float | None) -> float | None:
    if lag == 0:
        return 0.0
    return round(lag / rate, 1) if lag and rate else None
