"""What the operations of administration have in common."""

from typing import Annotated, Any

from fastapi import Path

from app.framework.administration.policies import ADMINISTRATION_POLICIES
from app.framework.http.access import sends
from app.framework.http.examples import GENERIC
from app.framework.http.planned_route import PlannedRoute
from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.problems.administration import PROJECTION_NOT_FOUND
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.responses import WITHOUT_HEADERS, answers
from app.framework.mediator import Message

TAG = {
    "name": "administration",
    "description": "Running projections: rebuilding, pausing, going back; reading the log.",
}

ProjectionName = Annotated[
    str,
    Path(
        pattern="^[A-Za-z0-9_-]{1,100}$",
        description="The name of the projection.",
        examples=[GENERIC.projection],
    ),
]


def reads(kind: type[Message[Any]], answered: str, *problems: ProblemType) -> dict[str, Any]:
    """The options of a route that sends a query of this kind; `answered` describes its answer."""
    return {
        **sends(ADMINISTRATION_POLICIES[kind]),
        "methods": ["GET"],
        "tags": [TAG["name"]],
        "responses": answers(200, answered, problems=(*WITHOUT_HEADERS, *problems)),
        "route_class_override": PlannedRoute,
    }


def writes(
    kind: type[Message[Any]],
    answered: str,
    *problems: ProblemType,
    method: str = "POST",
    status: int = 200,
    headers: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The options of a route that sends a command of this kind, about one projection."""
    refusals = (*WITHOUT_HEADERS, ORIGIN_NOT_ALLOWED, PROJECTION_NOT_FOUND, *problems)
    return {
        **sends(ADMINISTRATION_POLICIES[kind]),
        "methods": [method],
        "tags": [TAG["name"]],
        "status_code": status,
        "responses": answers(status, answered, headers=headers, problems=refusals),
        "route_class_override": PlannedRoute,
    }
