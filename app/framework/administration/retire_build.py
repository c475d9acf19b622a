"""Give up a build of a projection."""

from dataclasses import dataclass

from app.framework.administration.errors import BuildServes
from app.framework.administration.stored_projections import StoredProjections, numbered
from app.framework.mediator import Command
from app.framework.projections import BuildStore
from app.framework.request import Outcome, RequestContext


@dataclass(frozen=True, slots=True)
class RetireBuild(Command[None]):
    """Give up a build for good; a projector deletes its documents a little later.

    One that is being made ends. It may be repeated.
    """

    name: str
    number: int


class RetireBuildHandler:
    """Raises ProjectionNotFound, BuildNotFound and BuildServes."""

    def __init__(self, projections: StoredProjections, store: BuildStore) -> None:
        self._projections = projections
        self._store = store

    async def __call__(self, command: RetireBuild, _: RequestContext) -> Outcome[None]:
        projection = await self._projections.named(command.name)
        build = numbered(projection, command.number)
        # The store refuses too, as it may have begun to serve meanwhile.
        if not await self._store.retire(projection.name, build.id):
            raise BuildServes(build)
        return Outcome(None)
