"""The documented answers of routes: one success, and the possible problems."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from app.framework.http.headers import header_references
from app.framework.http.problems import (
    HEADERS_TOO_LARGE,
    HOST_NOT_ALLOWED,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    MALFORMED_REQUEST,
    MISDIRECTED_REQUEST,
    OVERLOADED,
    PAYLOAD_TOO_LARGE,
    REPEATED_HEADER,
    STORAGE_UNAVAILABLE,
    UNREADABLE_EVENT,
    UNSUPPORTED_MEDIA_TYPE,
)
from app.framework.http.problems.consistency import (
    DOCUMENT_PARKED,
    INVALID_CONSISTENCY_TOKEN,
    READ_MODEL_BEHIND,
)
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.problems.security import FORBIDDEN
from app.framework.http.refusals import MEDIA_TYPE
from app.framework.http.schemas.problem import EXAMPLE_ERROR, Problem

Responses = dict[int | str, dict[str, Any]]
Links = dict[str, dict[str, Any]]

REFERENCE = "#/components/schemas/{model}"
"""The place of a model's schema in the document, by the name of its class."""

ALWAYS = (
    MALFORMED_REQUEST,
    PAYLOAD_TOO_LARGE,
    HOST_NOT_ALLOWED,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
)
"""The problems of every route."""

MESSAGE = (
    *ALWAYS,
    REPEATED_HEADER,
    INVALID_REQUEST,
    MISDIRECTED_REQUEST,
    OVERLOADED,
    STORAGE_UNAVAILABLE,
    UNREADABLE_EVENT,
)
"""The problems of every route that sends a message."""

WITHOUT_HEADERS = tuple(each for each in MESSAGE if each is not REPEATED_HEADER)
"""The problems of routes that send a message, and take no headers."""

BODY = (UNSUPPORTED_MEDIA_TYPE,)
"""The further problems of every route that takes a body."""

QUERY = (*MESSAGE, INVALID_CONSISTENCY_TOKEN, READ_MODEL_BEHIND, DOCUMENT_PARKED)
"""The problems of every route that sends a query."""


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the schema of `model`, where FastAPI makes none."""
    return {"$ref": REFERENCE.format(model=model.__name__)}


def answers(
    status: int,
    description: str,
    *,
    headers: Iterable[str] = (),
    content: Mapping[str, Any] | None = None,
    links: Links | None = None,
    problems: Iterable[ProblemType],
) -> Responses:
    """The `responses` of a route: its one success, with `headers`, and its problems.

    The problems are those of `MESSAGE` (or `ALWAYS`) and its own. FastAPI finds the content by
    itself, unless it is given.
    """
    success: dict[str, Any] = {
        "description": description,
        "headers": header_references(headers),
        "links": links or {},
    }
    if content is not None:
        success["content"] = content
    by_status = sorted(problems, key=lambda each: each.status)
    return {
        status: success,
        **{each: _refusal(list(same)) for each, same in groupby(by_status, lambda it: it.status)},
    }


def not_modified() -> Responses:
    """The 304 of a route that takes If-None-Match."""
    return {
        304: {"description": "The client has it already.", "headers": header_references(["ETag"])}
    }


def links_to(*operation_ids: str, description: str, parameters: Mapping[str, str]) -> Links:
    """Links from an answer to these operations, each with the same `parameters`.

    The values are runtime expressions, such as `$response.body#/id`. All
    links to one operation must have the same parameters.
    """
    return {
        each: {"operationId": each, "parameters": dict(parameters), "description": description}
        for each in operation_ids
    }


def with_problems(responses: Mapping[str, Any], problems: Iterable[ProblemType]) -> dict[str, Any]:
    """`responses`, as they stand in the document, with further problems; by status."""
    merged = dict(responses)
    for status, same in groupby(sorted(problems, key=lambda it: it.status), lambda it: it.status):
        refusal, there = _refusal(list(same)), merged.get(str(status))
        merged[str(status)] = _both(there, refusal) if there else refusal
    return dict(sorted(merged.items()))


def _both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    content = first["content"][MEDIA_TYPE]
    examples = {**content["examples"], **second["content"][MEDIA_TYPE]["examples"]}
    return {
        "description": f"{first['description']} or {second['description']}",
        "headers": {**first.get("headers", {}), **second["headers"]},
        "content": {MEDIA_TYPE: {**content, "examples": examples}},
    }


def _refusal(problems: list[ProblemType]) -> dict[str, Any]:
    headers = {"Retry-After": any(each.retry_after is not None for each in problems)}
    is_challenge = problems[0].status == HTTPStatus.UNAUTHORIZED or FORBIDDEN in problems
    headers["WWW-Authenticate"] = is_challenge
    return {
        "description": " or ".join(f"{each.title} (`{each.code}`)" for each in problems),
        "headers": header_references(name for name, has in headers.items() if has),
        "content": {
            MEDIA_TYPE: {
                "schema": reference(Problem),
                "examples": {
                    each.code: {"summary": each.title, "value": _example(each)} for each in problems
                },
            }
        },
    }


def _example(kind: ProblemType) -> dict[str, Any]:
    problem = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.example,
        "instance": "/a/path",
        "code": kind.code,
        "request_id": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11",
    }
    if kind is INVALID_REQUEST:
        problem["errors"] = [EXAMPLE_ERROR]
    return problem
