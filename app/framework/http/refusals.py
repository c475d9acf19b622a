"""Turns errors into problem documents."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.framework.eventsourcing import UnreadableEvent
from app.framework.http.answers import set_problem
from app.framework.http.heads import HeadRoute
from app.framework.http.problems import (
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    MISDIRECTED_REQUEST,
    NOT_FOUND,
    PAYLOAD_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    status_problem,
)
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType
from app.framework.http.request_id import request_id_of
from app.framework.http.schemas.problem import Problem, ProblemError
from app.framework.http.unreadable_events import note_unreadable
from app.framework.http.validation import LISTED, MALFORMED_BODY, problem_errors
from app.framework.mediator import HandlerMissing
from app.framework.observability.outages import note_outage
from app.framework.storage import StorageUnavailable

MEDIA_TYPE = "application/problem+json"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def problem_response(
    scope: Mapping[str, Any],
    kind: ProblemType,
    detail: str,
    *,
    errors: Sequence[ProblemError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as the answer to the request of `scope`, with its id."""
    set_problem(scope, kind.code)
    optional: dict[str, Any] = {"errors": list(errors)} if errors else {}
    problem = Problem(
        type=kind.uri_under(scope.get("root_path", "")),
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=quote(scope["path"], errors="replace"),
        code=kind.code,
        request_id=request_id_of(scope),
        **optional,
    )
    retry_after = {} if kind.retry_after is None else {"Retry-After": str(kind.retry_after)}
    return Response(
        problem.model_dump_json(exclude_unset=True),
        kind.status,
        {**retry_after, **(headers or {})},
        MEDIA_TYPE,
    )


def answer_refusals(api: FastAPI, roles: frozenset[str], mappings: ErrorMappings) -> None:
    """Let `api` answer errors, also those of the web framework, with problems."""
    misdirected = ErrorMapping(MISDIRECTED_REQUEST, lambda _: _misdirected(roles))
    table = {**mappings, HandlerMissing: misdirected}

    async def answer_refusal(request: Request, error: Exception) -> Response:
        if isinstance(error, StorageUnavailable):
            note_outage(error.storage, error)
        if isinstance(error, UnreadableEvent):
            note_unreadable(error)
        mapping = _nearest(table, type(error))
        headers = mapping.headers(error) if mapping.headers else None
        return problem_response(
            request.scope, mapping.problem, mapping.detail(error), headers=headers
        )

    for each in table:
        api.add_exception_handler(each, answer_refusal)
    api.add_exception_handler(RequestValidationError, _answer_invalid_request)
    api.add_exception_handler(HTTPException, _answer_http_exception)


ValueT = TypeVar("ValueT")


def _nearest(table: Mapping[type[Exception], ValueT], error_type: type[Exception]) -> ValueT:
    return next(table[each] for each in error_type.__mro__ if each in table)


def _misdirected(roles: frozenset[str]) -> str:
    return (
        f"This process has the roles {', '.join(sorted(roles))} and does not serve this "
        "request; send it to one that does."
    )


async def _answer_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _invalid_request(request, problem_errors(error), len(error.errors()))


def _invalid_request(request: Request, errors: Sequence[ProblemError], found: int) -> Response:
    places = "1 place" if found == 1 else f"{found} places"
    if found > LISTED:
        places = f"more than {LISTED} places"
    detail = f"The request is invalid in {places}; `errors` says where and why."
    return problem_response(request.scope, INVALID_REQUEST, detail, errors=errors)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # noqa: PLR2004 - what FastAPI makes of a body it cannot read
        return _invalid_request(request, [MALFORMED_BODY], 1)
    kind = status_problem(error.status_code)
    headers = error.headers
    if kind is METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    details = {
        NOT_FOUND: NOT_FOUND.example,
        METHOD_NOT_ALLOWED: f"This path does not take the method {request.method}; the Allow "
        "header lists what it takes.",
        PAYLOAD_TOO_LARGE: PAYLOAD_TOO_LARGE.example,
        UNSUPPORTED_MEDIA_TYPE: error.detail,
    }
    return problem_response(request.scope, kind, details.get(kind, kind.title), headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    # The web framework lists those of the first route on the path only.
    return [method for method in _METHODS if _takes(request, method)]


def _takes(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    found = (each for each in request.app.routes if each.matches(scope)[0] is Match.FULL)
    route = next(found, None)
    return route is not None and not (isinstance(route, HeadRoute) and route.is_refusal)
