"""How far the read model is behind the log."""

from fastapi import APIRouter

from app.framework.administration.policies import PROJECTIONS_READ
from app.framework.http.access import takes
from app.framework.http.problems import STORAGE_UNAVAILABLE
from app.framework.http.responses import ALWAYS, answers
from app.framework.http.schemas.projections import ProjectionStatus, ProjectionStatusList
from app.framework.http.service import Service
from app.framework.projections import BuildRecord, BuildState, ProjectionRecord


def add_projections(router: APIRouter, service: Service) -> None:
    @router.get(
        "/projections",
        tags=["projections"],
        summary="List projections",
        responses=answers(200, "Every projection.", problems=(*ALWAYS, STORAGE_UNAVAILABLE)),
        **takes(PROJECTIONS_READ),
    )
    async def list_projections() -> ProjectionStatusList:
        """How far each projection is, and what keeps it."""
        return ProjectionStatusList(
            items=[
                _status(build, projection)
                for projection in await service.projections()
                for build in projection.builds
                if build.state is not BuildState.RETIRED
            ]
        )


def _status(found: BuildRecord, projection: ProjectionRecord) -> ProjectionStatus:
    status = found.status
    return ProjectionStatus(
        name=found.name,
        version=found.version,
        position=status.position,
        head=status.head,
        lag=status.lag,
        state=found.activity(paused=projection.paused),
        last_error=status.error,
        seen_at=status.seen_at,
        build=found.number,
        serves=found.id == projection.serving,
        holder=found.holder,
        held_since=found.held_since,
    )
