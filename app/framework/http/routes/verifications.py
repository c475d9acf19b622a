"""Verifications of projections."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.framework.administration import BeginVerification, GetVerification
from app.framework.http.headers import set_location
from app.framework.http.principals import context_of
from app.framework.http.problems.administration import (
    CANNOT_BE_VERIFIED,
    PROJECTION_BUSY,
    VERIFICATION_NOT_FOUND,
)
from app.framework.http.responses import BODY
from app.framework.http.routes.administrative import ProjectionName, reads, writes
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

        The process that is asked does it, beside its requests; the answer's Location shows how far
        it is. It ends with the process. The documents may change meanwhile.
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
        """Get a verification: how far it is, and what it has found."""
        found = await mediator.send(
            GetVerification(name, verification_id), context_of(request.scope)
        )
        return Verification.model_validate(found)

    router.add_api_route(
        _VERIFICATIONS,
        begin_verification,
        summary="Verify a projection",
        **writes(
            BeginVerification,
            "The verification has begun.",
            PROJECTION_BUSY,
            CANNOT_BE_VERIFIED,
            *BODY,
            status=202,
            headers=("Location",),
        ),
    )
    router.add_api_route(
        _VERIFICATION,
        get_verification,
        summary="Get a verification",
        **reads(GetVerification, "The verification.", VERIFICATION_NOT_FOUND),
    )
