"""Administration of projections.

Only what has to be sent once takes an Idempotency-Key: the other writes do nothing when they are
repeated.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.framework.administration import (
    BeginBuild,
    GetBuild,
    GetProjection,
    ListProjections,
    PauseProjection,
    ResumeProjection,
    RetireBuild,
    ServeBuild,
)
from app.framework.http.headers import set_location
from app.framework.http.idempotency import idempotency_key
from app.framework.http.parameters import WHOLE_NUMBER, IdempotencyKey
from app.framework.http.principals import context_of
from app.framework.http.problems import (
    IDEMPOTENCY_KEY_REUSED,
    REPEATED_HEADER,
)
from app.framework.http.problems.administration import (
    BUILD_NOT_FOUND,
    BUILD_NOT_READY,
    BUILD_SERVES,
    PROJECTION_BUSY,
    PROJECTION_NOT_FOUND,
)
from app.framework.http.responses import BODY
from app.framework.http.routes.administrative import ProjectionName, reads, writes
from app.framework.http.schemas.administration import (
    BuildRequest,
    Projection,
    ProjectionBuild,
    ProjectionList,
)
from app.framework.http.schemas.bases import VERSION_MAX
from app.framework.mediator import Mediator
from app.framework.projections import TakeOver

_PROJECTIONS = "/admin/projections"
_PROJECTION = f"{_PROJECTIONS}/{{name}}"
_BUILD = f"{_PROJECTION}/builds/{{number}}"

_Number = Annotated[
    int,
    Path(ge=1, le=VERSION_MAX, description="The number of the build.", examples=[2]),
    WHOLE_NUMBER,
]


def add_administration(router: APIRouter, mediator: Mediator) -> None:
    _add_reads(router, mediator)
    _add_pausing(router, mediator)
    _add_rebuilding(router, mediator)
    _add_builds(router, mediator)


def _add_reads(router: APIRouter, mediator: Mediator) -> None:
    async def list_projection_builds(request: Request) -> ProjectionList:
        """List the projections with their builds: which serves, and how far each is."""
        found = await mediator.send(ListProjections(), context_of(request.scope))
        return ProjectionList(items=[Projection.model_validate(each) for each in found])

    async def get_projection(request: Request, name: ProjectionName) -> Projection:
        """Get a projection with its builds."""
        found = await mediator.send(GetProjection(name), context_of(request.scope))
        return Projection.model_validate(found)

    async def get_build(request: Request, name: ProjectionName, number: _Number) -> ProjectionBuild:
        """Get a build: how far it is, and how it compared. One that was retired is there, too."""
        found = await mediator.send(GetBuild(name, number), context_of(request.scope))
        return ProjectionBuild.model_validate(found)

    router.add_api_route(
        _PROJECTIONS,
        list_projection_builds,
        summary="List projections and builds",
        **reads(ListProjections, "Every projection."),
    )
    router.add_api_route(
        _PROJECTION,
        get_projection,
        summary="Get a projection",
        **reads(GetProjection, "The projection.", PROJECTION_NOT_FOUND),
    )
    router.add_api_route(
        _BUILD,
        get_build,
        summary="Get a build",
        **reads(GetBuild, "The build.", PROJECTION_NOT_FOUND, BUILD_NOT_FOUND),
    )


def _add_pausing(router: APIRouter, mediator: Mediator) -> None:
    async def pause_projection(request: Request, name: ProjectionName) -> Projection:
        """Pause all work on a projection, until it is resumed: queries read what there is.

        It is remembered over restarts. A read with a Consistency-Token of a later write is 503
        `read-model-behind`.
        """
        outcome = await mediator.send(PauseProjection(name), context_of(request.scope))
        return Projection.model_validate(outcome.value)

    async def resume_projection(request: Request, name: ProjectionName) -> Projection:
        """Resume the work on a projection: it goes on from where it was paused."""
        outcome = await mediator.send(ResumeProjection(name), context_of(request.scope))
        return Projection.model_validate(outcome.value)

    router.add_api_route(
        f"{_PROJECTION}/pause",
        pause_projection,
        summary="Pause a projection",
        **writes(PauseProjection, "The projection is paused."),
    )
    router.add_api_route(
        f"{_PROJECTION}/resume",
        resume_projection,
        summary="Resume a projection",
        **writes(ResumeProjection, "The projection is not paused."),
    )


def _add_rebuilding(router: APIRouter, mediator: Mediator) -> None:
    async def begin_build(
        request: Request,
        response: Response,
        name: ProjectionName,
        build: BuildRequest,
        idempotency_key: IdempotencyKey = None,
    ) -> ProjectionBuild:
        """Rebuild a projection from the whole log, beside the build that serves.

        The build is at the answer's Location; GET shows how far it is. When it has caught up it is
        compared with the build that serves. The one before is kept, until it is retired.
        """
        key = _key(idempotency_key, request, build)
        context = context_of(request.scope, idempotency_key=key)
        outcome = await mediator.send(BeginBuild(name, TakeOver(build.take_over)), context)
        begun = ProjectionBuild.model_validate(outcome.value)
        if outcome.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        set_location(response, request, _BUILD.format(name=name, number=begun.number))
        return begun

    router.add_api_route(
        f"{_PROJECTION}/builds",
        begin_build,
        summary="Rebuild a projection",
        **writes(
            BeginBuild,
            "The build has begun.",
            PROJECTION_BUSY,
            IDEMPOTENCY_KEY_REUSED,
            *BODY,
            REPEATED_HEADER,
            status=202,
            headers=("Location", "Idempotency-Replayed"),
        ),
    )


def _add_builds(router: APIRouter, mediator: Mediator) -> None:
    async def serve_build(request: Request, name: ProjectionName, number: _Number) -> Projection:
        """Let a build serve: take over from the one that does, or go back to an earlier one.

        The one before is kept and brought up to date, so that going back loses nothing.
        """
        outcome = await mediator.send(ServeBuild(name, number), context_of(request.scope))
        return Projection.model_validate(outcome.value)

    async def retire_build(request: Request, name: ProjectionName, number: _Number) -> Response:
        """Retire a build for good: its documents are deleted, 10 s later."""
        await mediator.send(RetireBuild(name, number), context_of(request.scope))
        return Response(status_code=204)

    router.add_api_route(
        f"{_BUILD}/serve",
        serve_build,
        summary="Let a build serve",
        **writes(
            ServeBuild, "The build serves.", BUILD_NOT_FOUND, BUILD_NOT_READY, PROJECTION_BUSY
        ),
    )
    router.add_api_route(
        _BUILD,
        retire_build,
        summary="Retire a build",
        **writes(
            RetireBuild,
            "The build is retired.",
            BUILD_NOT_FOUND,
            BUILD_SERVES,
            method="DELETE",
            status=204,
        ),
    )


def _key(key: str | None, request: Request, body: BuildRequest) -> Any:
    return idempotency_key(key, request, body, {})
