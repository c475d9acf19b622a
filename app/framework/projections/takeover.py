"""Which build is to serve: decided from what is stored, by the process that works on a build."""

import enum
from collections.abc import Collection

from app.framework.projections.builds import (
    BuildRecord,
    BuildState,
    Condemned,
    ProjectionRecord,
    TakeOver,
)

RELEASED_SECONDS = 1.0
"""How long a serving build may be without a holder that was given up in order, before an older one
takes its place: twice as long as another process with its fold takes to see it. Reads wait for
longer than that, so they do not notice."""

ABANDONED_SECONDS = 12.0
"""How long no process may have worked on a serving build before an older one takes its place: twice
as long as a lease, so that a process that restarts keeps it."""

DROP_SECONDS = 10.0
"""How long the documents of a build that is over are kept: readers may not know of a switch yet."""


class Step(enum.Enum):
    """What the holder of a build does next to have it serve."""

    NOTHING = enum.auto()
    COMPARE = enum.auto()
    SERVE = enum.auto()
    SERVE_FOR_NOW = enum.auto()


def next_step(projection: ProjectionRecord, build: BuildRecord, versions: Collection[int]) -> Step:
    """What the holder of `build`, which has caught up, does.

    `versions` are those of the projection that this process has the folds of.
    """
    serving = projection.serving_build
    if build.id == projection.serving:
        return Step.NOTHING
    if serving is None or build.id == projection.yielded:
        return Step.SERVE
    if serving.condemned:
        # There is nothing to compare with, and its position is one of another log.
        return Step.SERVE
    if build.state is BuildState.BUILDING and build.take_over is TakeOver.WHEN_CAUGHT_UP:
        # An older version takes no newer one's place, unless that is abandoned.
        is_next = build.version > serving.version or is_abandoned(serving, versions)
        return Step.SERVE if is_next and build.position >= serving.position else Step.NOTHING
    if build.state in (BuildState.BUILDING, BuildState.COMPARING):
        return Step.COMPARE
    if build.state is BuildState.READY:
        is_equal = build.comparison is not None and not build.comparison.differing
        if build.take_over is TakeOver.WHEN_EQUAL and is_equal:
            return Step.SERVE
    if build.state is BuildState.KEPT and is_abandoned(serving, versions):
        return Step.SERVE_FOR_NOW if build.position >= serving.position else Step.NOTHING
    return Step.NOTHING


def is_abandoned(serving: BuildRecord, versions: Collection[int]) -> bool:
    """Whether no process works on the serving build, and this one cannot."""
    patience = RELEASED_SECONDS if serving.is_released else ABANDONED_SECONDS
    return serving.version not in versions and serving.is_free and serving.silent_seconds > patience


def needs_build(stored: ProjectionRecord, version: int, versions: Collection[int]) -> bool:
    """Whether a build of `version`, the newest of `versions`, has to be begun."""
    serving = stored.serving_build
    if serving is not None and serving.condemned is Condemned.DOCUMENTS_LOST:
        # It is not followed any more; what was begun after it is, if a process has the fold.
        later = (each for each in stored.builds if each.number > serving.number)
        return all(each.is_over or each.version not in versions for each in later)
    of_version = [each for each in stored.builds if each.version == version]
    if not all(each.is_over for each in of_version):
        return False
    if serving is None or is_abandoned(serving, versions):
        return True
    # What an operator retired does not come back by itself; what was condemned does.
    is_retired = any(each.state is BuildState.RETIRED for each in of_version)
    return version > serving.version and not is_retired


def may_be_taken(projection: ProjectionRecord, build: BuildRecord, holder: str) -> bool:
    """Whether the process `holder` may have the lease of `build` now."""
    # A lease may be this process's though it never heard that it got it.
    is_free = build.is_free or build.holder == holder
    is_to_be_followed = not build.is_over and build.condemned is None
    return is_free and is_to_be_followed and not projection.paused


def may_be_dropped(projection: ProjectionRecord, build: BuildRecord) -> bool:
    """Whether neither a holder nor a reader can believe any more that it needs the documents."""
    switched = projection.switched_seconds
    since = build.silent_seconds if switched is None else min(build.silent_seconds, switched)
    return build.is_over and not build.is_dropped and since > DROP_SECONDS
