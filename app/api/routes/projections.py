"""How far the read model is behind the log."""

from fastapi import APIRouter

from app import projecting
from app.api.problems import STORAGE_UNAVAILABLE
from app.api.responses import ALWAYS, answers
from app.api.schemas.projections import ProjectionStatus, ProjectionStatusList
from app.api.service import Service


def projections_router(service: Service) -> APIRouter:
    """The routes under /projections."""
    projections = APIRouter(prefix="/projections", tags=["projections"])

    @projections.get(
        "",
        summary="List projections",
        responses=answers(200, "Every projection.", problems=(*ALWAYS, STORAGE_UNAVAILABLE)),
    )
    async def list_projections() -> ProjectionStatusList:
        """How far each projection is, and what keeps it."""
        statuses = await service.projections()
        return ProjectionStatusList(items=[_status(each) for each in statuses])

    return projections


def _status(status: projecting.ProjectionStatus) -> ProjectionStatus:
    return ProjectionStatus(
        name=status.name,
        version=status.version,
        position=status.position,
        head=status.head,
        lag=status.lag,
        state=status.state,
        last_error=status.error,
        seen_at=status.seen_at,
    )
