"""The meanings of the kinds of problems: the targets of their `type`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException

from app.framework.http.examples import GENERIC
from app.framework.http.problems import INVALID_REQUEST, NOT_FOUND, kinds
from app.framework.http.responses import ALWAYS, answers
from app.framework.http.schemas.problem import ProblemType, ProblemTypeList


def add_problems(router: APIRouter, all_kinds: Sequence[kinds.ProblemType]) -> None:
    """Add the routes under /problems; `all_kinds` are all kinds of problems."""
    by_code = {each.code: each for each in all_kinds}

    @router.get(
        "/problems",
        tags=["problems"],
        summary="List kinds of problems",
        responses=answers(200, "Every kind of problem.", problems=ALWAYS),
    )
    async def list_problem_types(request: Request) -> ProblemTypeList:
        """Every kind of problem that a request can be answered with."""
        return ProblemTypeList(items=[_problem_type(each, request) for each in all_kinds])

    @router.get(
        "/problems/{code}",
        tags=["problems"],
        summary="Get a kind of problem",
        responses=answers(200, "What it means.", problems=(*ALWAYS, NOT_FOUND, INVALID_REQUEST)),
    )
    async def get_problem_type(
        request: Request,
        code: Annotated[
            str,
            Path(
                pattern=r"^[a-z-]{1,64}$",
                description="The `code` of a problem.",
                examples=[GENERIC.problem.code],
            ),
        ],
    ) -> ProblemType:
        """When such a problem comes, and what to do."""
        if code not in by_code:
            raise HTTPException(NOT_FOUND.status)
        return _problem_type(by_code[code], request)


def _problem_type(kind: kinds.ProblemType, request: Request) -> ProblemType:
    return ProblemType(
        type=kind.uri_under(request.scope.get("root_path", "")),
        code=kind.code,
        status=kind.status,
        title=kind.title,
        meaning=kind.meaning,
        example=kind.example,
    )
