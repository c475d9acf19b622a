"""Liveness and readiness of the process."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from app.framework.http.responses import ALWAYS, answers
from app.framework.http.schemas.health import Health, HealthCheck
from app.framework.http.service import Check, Service


def add_health(router: APIRouter, service: Service) -> None:
    roles = sorted(service.roles)

    @router.get(
        "/health/live",
        tags=["health"],
        summary="Check liveness",
        responses=answers(200, "The process answers.", problems=ALWAYS),
    )
    async def check_liveness() -> Health:
        """Whether the process answers at all; what it depends on is not looked at."""
        return Health(status="ok", roles=roles, checks=[])

    @router.get(
        "/health/ready",
        tags=["health"],
        summary="Check readiness",
        responses={
            **answers(200, "The process can do what its roles say.", problems=ALWAYS),
            503: {"description": "The process cannot do all of it for now.", "model": Health},
        },
    )
    async def check_readiness(response: Response) -> Health:
        """Whether the process can do what its roles say, and if not, what it lacks.

        From when it is asked to stop it is not ready, with a check `stopping`, though it may go
        on serving for a while.
        """
        checks = [*await service.checks()]
        if service.draining.is_set():
            checks.append(Check("stopping", ok=False, detail="The process was asked to stop."))
        ready = all(each.ok for each in checks)
        if not ready:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(
            status="ok" if ready else "unavailable",
            roles=roles,
            checks=[HealthCheck.model_validate(each) for each in checks],
        )
