"""Show the parked documents of a projection, and have them replayed."""

from dataclasses import dataclass

from app.framework.administration.errors import DocumentNotParked
from app.framework.administration.read_models import ParkedDocuments
from app.framework.administration.stored_projections import StoredProjections
from app.framework.mediator import Command, Query
from app.framework.projections import EVERYTHING, BuildStore
from app.framework.request import Outcome, RequestContext


@dataclass(frozen=True, slots=True)
class ListParkedDocuments(Query[ParkedDocuments]):
    """The parked documents of the build that serves."""

    name: str


@dataclass(frozen=True, slots=True)
class ReplayDocument(Command[ParkedDocuments]):
    """Have a parked document of the build that serves folded on, from where it is parked.

    The process that works on the build does it; a paused one does it when it is resumed. A document
    that is refused again stays parked. It may be repeated.
    """

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class ReplayDocuments(Command[ParkedDocuments]):
    """Have all parked documents replayed; if there are none, nothing happens."""

    name: str


class ParkedDocumentsHandler:
    """Raises ProjectionNotFound."""

    def __init__(self, projections: StoredProjections, store: BuildStore) -> None:
        self._projections = projections
        self._store = store

    async def list(self, query: ListParkedDocuments, _: RequestContext) -> ParkedDocuments:
        return ParkedDocuments.of(await self._projections.named(query.name))

    async def replay(
        self, command: ReplayDocument | ReplayDocuments, _: RequestContext
    ) -> Outcome[ParkedDocuments]:
        """Raises DocumentNotParked, too."""
        build = (await self._projections.named(command.name)).serving_build
        parked = {each.key for each in build.parked} if build else set()
        key = command.key if isinstance(command, ReplayDocument) else EVERYTHING
        if isinstance(command, ReplayDocument) and key not in parked:
            raise DocumentNotParked(command.name, key)
        if build is not None and parked:
            await self._store.ask_to_replay(build.id, [key])
        return Outcome(ParkedDocuments.of(await self._projections.named(command.name)))
