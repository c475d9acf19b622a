"""What is measured of the service as a whole, when its metrics are read."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from app.framework.eventsourcing import LogSource, UnreadableEvent
from app.framework.http.service import Check
from app.framework.observability.metrics import Count, Metric, Reach, gauge
from app.framework.projections import (
    BuildRecord,
    BuildState,
    ProjectionRecord,
    ProjectionState,
)
from app.framework.storage import StorageUnavailable

_CHECK = gauge("check_ok", "The checks of /health/ready: 1 if ok.", "check", reach=Reach.SERVICE)
_HEAD = gauge("log_position", "The position of the last event.", reach=Reach.SERVICE)
_PAUSED = gauge(
    "projection_paused",
    "Whether an operator paused the projection.",
    "projection",
    reach=Reach.SERVICE,
)


def _of_a_build(name: str, meaning: str, *further: str) -> Metric[Count]:
    return gauge(name, meaning, "projection", "build", *further, reach=Reach.SERVICE)


_POSITION = _of_a_build("build_position", "The last event that the build holds.")
_LAG = _of_a_build("build_lag_events", "How many events it is behind.")
_LAG_SECONDS = _of_a_build(
    "build_lag_seconds", "For how long the first event that it lacks has been recorded."
)
_RATE = _of_a_build("build_events_per_second", "How fast it applied events of late.")
_SERVES = _of_a_build("build_serves", "Whether queries read it.")
_HELD = _of_a_build("build_held", "Whether a process has its lease.")
_PARKED = _of_a_build("build_parked_documents", "Documents that wait for a replay.")
_STATE = _of_a_build("build_state", "1 for the state that the build is in.", "state")
_ACTIVITY = _of_a_build("build_activity", "1 for what its projector does with it.", "activity")

_OF_RECORDS = (
    *(_HEAD, _PAUSED, _POSITION, _LAG, _LAG_SECONDS, _RATE),
    *(_SERVES, _HELD, _PARKED, _STATE, _ACTIVITY),
)


def measure_checks(checks: Sequence[Check]) -> None:
    """Set the metrics of readiness."""
    _CHECK.clear()
    for each in checks:
        _CHECK.of(each.name).value = float(each.ok)


async def measure_projections(
    projections: Sequence[ProjectionRecord], log: LogSource | None
) -> None:
    """Set the metrics of builds; without a log not for how long they lag."""
    shown = [
        (projection, build)
        for projection in projections
        for build in projection.builds
        if build.state is not BuildState.RETIRED
    ]
    waiting = await asyncio.gather(*(_waiting(build, log) for _, build in shown))
    forget_projections()
    for projection in projections:
        _PAUSED.of(projection.name).value = float(projection.paused)
    for (projection, build), seconds in zip(shown, waiting, strict=True):
        _measure_build(projection, build, seconds)


def forget_projections() -> None:
    """Leave out what is not known now."""
    for each in _OF_RECORDS:
        each.clear()


def _measure_build(projection: ProjectionRecord, build: BuildRecord, waiting: float | None) -> None:
    names, status = (projection.name, str(build.number)), build.status
    numbers = (
        (_POSITION, status.position),
        (_LAG, status.lag),
        (_LAG_SECONDS, waiting),
        (_RATE, build.rate),
        (_SERVES, build.id == projection.serving),
        (_HELD, build.holder is not None),
        (_PARKED, len(build.parked)),
    )
    for metric, number in numbers:
        if number is not None:
            metric.of(*names).value = float(number)
    for state in BuildState:
        _STATE.of(*names, state).value = float(build.state is state)
    activity = build.activity(paused=projection.paused)
    for each in ProjectionState:
        _ACTIVITY.of(*names, each).value = float(activity is each)
    if status.head is not None:
        head = _HEAD.of()
        head.value = max(head.value, status.head)


async def _waiting(build: BuildRecord, log: LogSource | None) -> float | None:
    """For how many seconds the first event has been recorded that `build` lacks."""
    status = build.status
    if status.lag == 0:
        return 0.0
    if log is None or status.position is None:
        return None
    try:
        events = await log.read(after=status.position, limit=1)
    except (StorageUnavailable, UnreadableEvent):
        return None
    if not events:
        return 0.0
    return max(0.0, (datetime.now(UTC) - events[0].recorded_at).total_seconds())
