"""Show projections and their builds."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.framework.administration.read_models import BuildDetails, ProjectionDetails
from app.framework.administration.stored_projections import StoredProjections, numbered
from app.framework.mediator import Query
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class ListProjections(Query[Sequence[ProjectionDetails]]):
    """Every projection, by name."""


@dataclass(frozen=True, slots=True)
class GetProjection(Query[ProjectionDetails]):
    """One projection."""

    name: str


@dataclass(frozen=True, slots=True)
class GetBuild(Query[BuildDetails]):
    """One build of a projection, also if it was retired."""

    name: str
    number: int


class ShowProjections:
    """Answers what operators ask of projections."""

    def __init__(self, projections: StoredProjections) -> None:
        self._projections = projections

    async def list(self, _: ListProjections, __: RequestContext) -> Sequence[ProjectionDetails]:
        return [ProjectionDetails.of(each) for each in await self._projections.all()]

    async def get(self, query: GetProjection, _: RequestContext) -> ProjectionDetails:
        """Raises ProjectionNotFound."""
        return ProjectionDetails.of(await self._projections.named(query.name))

    async def get_build(self, query: GetBuild, _: RequestContext) -> BuildDetails:
        """Raises ProjectionNotFound and BuildNotFound."""
        projection = await self._projections.named(query.name)
        return BuildDetails.of(numbered(projection, query.number), projection)
