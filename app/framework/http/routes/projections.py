"""How far the read model is behind the log."""

from fastapi import APIRouter

from app.framework import projections
from app.framework.http.problems import STORAGE_UNAVAILABLE
from app.framework.http.responses import ALWAYS, answers
from app.framework.http.schemas.projections import ProjectionStatus, ProjectionStatusList
from app.framework.http.service import Service


def add_projections(router: APIRouter, service: Service) -> None:
    @router.get(
        "/projections",
        tags=["projections"],
        summary="List projections",
        responses=answers(200, "Every projection.", problems=(*ALWAYS, STORAGE_UNAVAILABLE)),
    )
    async def list_projections() -> ProjectionStatusList:
        """How far each projection is, and what keeps it."""
        statuses = await service.projections()
        return ProjectionStatusList(items=[_status(each) for each in statuses])


def _status(found: projections.ProjectionStatus) -> ProjectionStatus:
    return ProjectionStatus(
        name=found.name,
        version=found.version,
        position=found.position,
        head=found.head,
        lag=found.lag,
        state=found.state,
        last_error=found.error,
        seen_at=found.seen_at,
    )
