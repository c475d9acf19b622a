"""Begin a rebuild of a projection."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.framework.administration.errors import ProjectionBusy
from app.framework.administration.read_models import BuildDetails
from app.framework.administration.stored_projections import StoredProjections, named
from app.framework.eventsourcing import IdempotencyKeyReused
from app.framework.mediator import Command
from app.framework.projections import (
    BuildRecord,
    BuildState,
    BuildStore,
    Projection,
    ProjectionRecord,
    TakeOver,
    by_aggregate,
)
from app.framework.request import IdempotencyKey, Outcome, RequestContext

_TRIES = 3


@dataclass(frozen=True, slots=True)
class BeginBuild(Command[BuildDetails]):
    """Make a projection anew of the whole log, beside the build that serves.

    It is of the version that this process has the code of, or of the serving build's version if
    that is newer: an older process must not replace it.

    take_over: WHEN_EQUAL or ON_REQUEST.
    """

    name: str
    take_over: TakeOver = TakeOver.WHEN_EQUAL


class BeginBuildHandler:
    """Raises ProjectionNotFound, ProjectionBusy and IdempotencyKeyReused."""

    def __init__(
        self, projections: StoredProjections, store: BuildStore, known: Sequence[Projection]
    ) -> None:
        """`known` are the projections that this process has the code of."""
        self._projections = projections
        self._store = store
        self._known = known

    async def __call__(self, command: BeginBuild, context: RequestContext) -> Outcome[BuildDetails]:
        key = context.idempotency_key
        for _ in range(_TRIES):
            found = await self._projections.all()
            projection = named(found, command.name)
            begun = _begun_under(key, found)
            if begun is not None:
                return _outcome(begun, projection, replayed=True)
            _check_idle(projection)
            build_id = await self._store.begin(
                self._to_build(projection),
                take_over=command.take_over,
                known=len(projection.builds),
                key=None if key is None else _stored(key),
            )
            if build_id is not None:
                projection = await self._projections.named(command.name)
                build = projection.build(build_id)
                assert build is not None
                return _outcome(build, projection, replayed=False)
        raise ProjectionBusy(command.name, "other processes begin builds of it")

    def _to_build(self, projection: ProjectionRecord) -> Projection:
        serving = projection.serving_build
        at_least = serving.version if serving else 0
        for each in sorted(self._known, key=lambda it: it.version, reverse=True):
            if each.name == projection.name and each.version >= at_least:
                return each
        # A newer process has its code, and makes the build: the store needs name and version.
        return Projection(projection.name, at_least, key=by_aggregate, handlers={})


def _outcome(
    build: BuildRecord, projection: ProjectionRecord, *, replayed: bool
) -> Outcome[BuildDetails]:
    details = BuildDetails.of(build, projection)
    return Outcome(details, replayed=replayed)


def _stored(key: IdempotencyKey) -> str:
    # No key has a space.
    return f"{key.value} {key.fingerprint}"


def _begun_under(
    key: IdempotencyKey | None, projections: Sequence[ProjectionRecord]
) -> BuildRecord | None:
    """The build that was begun under `key`, of any projection."""
    if key is None:
        return None
    for build in (build for each in projections for build in each.builds):
        if build.key is not None and build.key.partition(" ")[0] == key.value:
            if build.key != _stored(key):
                raise IdempotencyKeyReused(key.value)
            return build
    return None


def _check_idle(projection: ProjectionRecord) -> None:
    for each in projection.builds:
        # It was begun for a build that was lost or abandoned, and that another one replaced first.
        is_left = each.take_over is TakeOver.WHEN_CAUGHT_UP and each.has_caught_up
        if each.state in (BuildState.BUILDING, BuildState.COMPARING) and not is_left:
            at = f"at position {each.position:,} of {each.status.head or each.position:,}"
            raise ProjectionBusy(
                projection.name, f"build {each.number} is {each.state}, {at}; wait, or retire it"
            )
