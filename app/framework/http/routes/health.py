"""Liveness and readiness of the process."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.framework.administration.policies import PROJECTIONS_READ
from app.framework.http.principals import principal_of
from app.framework.http.problems import INVALID_REQUEST
from app.framework.http.responses import ALWAYS, answers
from app.framework.http.schemas.health import Health, HealthCheck, RoleName
from app.framework.http.service import Check, Service

RoleQuery = Annotated[
    RoleName | None,
    Query(
        description="Only what this role needs; without it, what all roles of the process do.",
        examples=["commands"],
    ),
]


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
            **answers(
                200,
                "The process can do what its roles say.",
                problems=(*ALWAYS, INVALID_REQUEST),
            ),
            503: {"description": "The process cannot do all of it for now.", "model": Health},
        },
    )
    async def check_readiness(
        request: Request, response: Response, role: RoleQuery = None
    ) -> Health:
        """Whether the process can do what its roles say, and if not, what it lacks.

        With `role` only what that role needs counts: so a process whose projector has stopped still
        takes commands. From when it is asked to stop it is not ready, with a check `stopping`,
        though it may go on serving for a while. Details are for principals with the scope
        projections:read.
        """
        checks = [*await service.checks()]
        if service.draining.is_set():
            checks.append(Check("stopping", ok=False, detail="The process was asked to stop."))
        if role is not None and role not in service.roles:
            checks.append(Check("role", ok=False, detail=f"This process does not serve {role}."))
        if role is not None:
            checks = [each for each in checks if not each.roles or role in each.roles]
        is_detailed = PROJECTIONS_READ in principal_of(request.scope).scopes
        ready = all(each.ok for each in checks)
        if not ready:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(
            status="ok" if ready else "unavailable",
            roles=roles,
            checks=[
                HealthCheck(
                    name=each.name,
                    ok=each.ok,
                    detail=each.detail if is_detailed else "",
                    roles=sorted(each.roles or service.roles),
                )
                for each in checks
            ],
        )
