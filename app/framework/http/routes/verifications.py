"""Verifications of projections."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.framework.administration import BeginVerification, GetVerification
from app.framework.administration.policies import ADMINISTRATION_POLICIES
from app.framework.http.access import sends
from app.framework.http.headers import set_location
from app.framework.http.planned_route import PlannedRoute
from app.framework.http.principals import context_of
from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.problems.administration import (
    CANNOT_BE_VERIFIED,
    PROJECTION_BUSY,
    PROJECTION_NOT_FOUND,
    VERIFICATION_NOT_FOUND,
)
from app.framework.http.responses import BODY, WITHOUT_HEADERS, answers
from app.framework.http.routes.administration import TAG, ProjectionName
from app.framework.http.schemas.verifications import Verification, VerificationRequest
from app.framework.mediator import Mediator

_VERIFICATIONS = "/admin/projections/{name}/verifications"
_VERIFICATION = f"{_VERIFICATIONS}/{{verification_id}}"

_Id = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{1,32}$",
        description="The id of the verification.",
        examples=["5f0c1a9be6b14d0f8b7b1f0a2c3d4e5f"],
    ),
]


def add_verifications(router: APIRouter, mediator: Mediator) -> None:
    async def begin_verification(
        request: Request,
        response: Response,
        name: ProjectionName,
        verification: VerificationRequest,
    ) -> Verification:
        """Compare a projection with a fold of the whole log, and repair it if that is wanted.

        The process that is asked does it, beside its requests, and shows at the answer's Location
        how far it is. It ends with the process. The documents may change meanwhile.
        """
        message = BeginVerification(name, verification.sample, verification.repair)
        outcome = await mediator.send(message, context_of(request.scope))
        begun = Verification.model_validate(outcome.value)
        path = _VERIFICATION.format(name=name, verification_id=begun.id)
        set_location(response, request, path)
        return begun

    async def get_verification(
        request: Request, name: ProjectionName, verification_id: _Id
    ) -> Verification:
        """Get a verification: how far it is, and what it has found. Its process has it."""
        found = await mediator.send(
            GetVerification(name, verification_id), context_of(request.scope)
        )
        return Verification.model_validate(found)

    router.add_api_route(
        _VERIFICATIONS,
        begin_verification,
        methods=["POST"],
        summary="Verify a projection",
        **sends(ADMINISTRATION_POLICIES[BeginVerification]),
        tags=[TAG["name"]],
        status_code=202,
        responses=answers(
            202,
            "The verification has begun.",
            headers=("Location",),
            problems=(
                *WITHOUT_HEADERS,
                ORIGIN_NOT_ALLOWED,
                PROJECTION_NOT_FOUND,
                PROJECTION_BUSY,
                CANNOT_BE_VERIFIED,
                *BODY,
            ),
        ),
        route_class_override=PlannedRoute,
    )
    router.add_api_route(
        _VERIFICATION,
        get_verification,
        methods=["GET"],
        summary="Get a verification",
        **sends(ADMINISTRATION_POLICIES[GetVerification]),
        tags=[TAG["name"]],
        responses=answers(
            200, "The verification.", problems=(*WITHOUT_HEADERS, VERIFICATION_NOT_FOUND)
        ),
        route_class_override=PlannedRoute,
    )
