"""Let another build of a projection serve: take over, or go back."""

from dataclasses import dataclass

from app.framework.administration.errors import BuildNotReady, ProjectionBusy
from app.framework.administration.read_models import ProjectionDetails
from app.framework.administration.stored_projections import StoredProjections, numbered
from app.framework.mediator import Command
from app.framework.projections import (
    BuildRecord,
    BuildState,
    BuildStore,
    ProjectionRecord,
    ProjectionState,
)
from app.framework.request import Outcome, RequestContext

LAG_ALLOWED = 2_000
"""How many events a build may be behind the serving one: what a holder applies in a moment. Tokens
of these are waited for."""


@dataclass(frozen=True, slots=True)
class ServeBuild(Command[ProjectionDetails]):
    """Have queries read this build; the one before is kept, and followed on.

    It serves until a command, or a newer version of the code, changes that.
    """

    name: str
    number: int


class ServeBuildHandler:
    """Raises ProjectionNotFound, BuildNotFound, BuildNotReady and ProjectionBusy."""

    def __init__(self, projections: StoredProjections, store: BuildStore) -> None:
        self._projections = projections
        self._store = store

    async def __call__(self, command: ServeBuild, _: RequestContext) -> Outcome[ProjectionDetails]:
        projection = await self._projections.named(command.name)
        build = numbered(projection, command.number)
        if build.id != projection.serving:
            _check_ready(projection, build)
        # A build that serves for another only, until that is followed again, serves for good now.
        if build.id != projection.serving or projection.yielded is not None:
            await self._switch(projection, build)
            projection = await self._projections.named(command.name)
        return Outcome(ProjectionDetails.of(projection))

    async def _switch(self, projection: ProjectionRecord, build: BuildRecord) -> None:
        if await self._store.switch(projection.name, serving=projection.serving, to=build.id):
            return
        found = await self._projections.named(projection.name)
        serving = found.serving_build
        by_now = f"build {serving.number} serves by now" if serving else "no build serves"
        raise ProjectionBusy(projection.name, f"it was changed at the same time, and {by_now}")


def _check_ready(projection: ProjectionRecord, build: BuildRecord) -> None:
    if build.state not in (BuildState.READY, BuildState.KEPT):
        raise BuildNotReady(build, f"it is {build.state}")
    if build.status.state in (ProjectionState.STOPPED, ProjectionState.WAITING):
        # Now and then a process holds it, and tries whether it can go on.
        raise BuildNotReady(build, f"it is {build.status.state}")
    if build.is_free:
        why = "the projection is paused" if projection.paused else "no process works on it"
        raise BuildNotReady(build, why)
    serving = projection.serving_build
    behind = serving.position - build.position if serving else 0
    if serving and behind > LAG_ALLOWED:
        raise BuildNotReady(
            build, f"it is {behind:,} events behind build {serving.number}, which serves"
        )
