"""Pause a projection, and resume it."""

from dataclasses import dataclass

from app.framework.administration.errors import ProjectionNotFound
from app.framework.administration.read_models import ProjectionDetails
from app.framework.administration.stored_projections import StoredProjections
from app.framework.mediator import Command
from app.framework.projections import BuildStore
from app.framework.request import Outcome, RequestContext


@dataclass(frozen=True, slots=True)
class PauseProjection(Command[ProjectionDetails]):
    """Have no process work on any build of a projection, until it is resumed.

    It is remembered over restarts, and may be repeated.
    """

    name: str


@dataclass(frozen=True, slots=True)
class ResumeProjection(Command[ProjectionDetails]):
    """Let processes work on a projection again. It may be repeated."""

    name: str


class PauseProjectionHandler:
    """Raises ProjectionNotFound."""

    def __init__(self, projections: StoredProjections, store: BuildStore) -> None:
        self._projections = projections
        self._store = store

    async def __call__(
        self, command: PauseProjection | ResumeProjection, _: RequestContext
    ) -> Outcome[ProjectionDetails]:
        paused = isinstance(command, PauseProjection)
        if not await self._store.pause(command.name, paused=paused):
            raise ProjectionNotFound(command.name)
        found = await self._projections.named(command.name)
        return Outcome(ProjectionDetails.of(found))
