"""What readiness says of projections: every projector says it, as none may be left."""

from collections.abc import Collection, Iterable, Sequence

from app.framework.projections.builds import LEASE_SECONDS, ProjectionRecord
from app.framework.projections.ports import ProjectionState
from app.framework.projections.projection import Projection


def trouble(
    projection: ProjectionRecord, held: Collection[str], versions: Collection[int]
) -> str | None:
    """What keeps the serving build of `projection` from being up to date; None if nothing does.

    `held` are the ids of the builds that this process works on, `versions` those of the projection
    that it has the folds of.
    """
    serving = projection.serving_build
    if serving is None or projection.paused:
        return None
    status = serving.status
    if status.state is not ProjectionState.RUNNING:
        return f"{projection.name} is {status.state}: {status.error}"
    if serving.id not in held and serving.is_free and serving.silent_seconds > LEASE_SECONDS:
        can = "" if serving.version in versions else " has its fold and"
        return (
            f"{projection.name}: no process{can} works on build {serving.number} (version "
            f"{serving.version}), which serves"
        )
    return None


def troubles_of(
    records: Iterable[ProjectionRecord], folds: Collection[Projection]
) -> Sequence[str]:
    """What keeps serving builds from being up to date, as a process sees it that works on none."""
    return [
        found
        for record in records
        if (found := trouble(record, (), {it.version for it in folds if it.name == record.name}))
    ]
