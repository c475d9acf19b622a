"""Parked documents of projections."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.framework.administration import ListParkedDocuments, ReplayDocument, ReplayDocuments
from app.framework.administration.policies import ADMINISTRATION_POLICIES
from app.framework.http.access import sends
from app.framework.http.headers import set_location
from app.framework.http.planned_route import PlannedRoute
from app.framework.http.principals import context_of
from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.problems.administration import DOCUMENT_NOT_PARKED, PROJECTION_NOT_FOUND
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.responses import WITHOUT_HEADERS, answers
from app.framework.http.routes.administration import TAG, ProjectionName
from app.framework.http.schemas.parked_documents import ParkedDocumentList
from app.framework.mediator import Mediator, Message

_PARKED = "/admin/projections/{name}/parked"

_Key = Annotated[
    str,
    Path(
        min_length=1,
        max_length=1000,
        description="The key of the document, percent-encoded. One with a slash in it can be "
        "replayed on the command line, or with all.",
        examples=["01977c2a"],
    ),
]


def add_parked_documents(router: APIRouter, mediator: Mediator) -> None:
    async def list_parked_documents(request: Request, name: ProjectionName) -> ParkedDocumentList:
        """List the parked documents of the build that serves: since which event, and why.

        They are as they were before that event, and every other document goes on. Correct the code
        that refuses the event and deploy it; then replay them.
        """
        found = await mediator.send(ListParkedDocuments(name), context_of(request.scope))
        return ParkedDocumentList.model_validate(found)

    async def replay(
        message: ReplayDocument | ReplayDocuments, request: Request, response: Response
    ) -> ParkedDocumentList:
        outcome = await mediator.send(message, context_of(request.scope))
        set_location(response, request, _PARKED.format(name=message.name))
        return ParkedDocumentList.model_validate(outcome.value)

    async def replay_document(
        request: Request, response: Response, name: ProjectionName, key: _Key
    ) -> ParkedDocumentList:
        """Replay a parked document: its events are applied, from the one that was refused.

        The process that works on the build does it, beside new events. The list at the answer's
        Location no longer has the document afterwards, or has it parked anew.
        """
        return await replay(ReplayDocument(name, key), request, response)

    async def replay_documents(
        request: Request, response: Response, name: ProjectionName
    ) -> ParkedDocumentList:
        """Replay all parked documents; if there are none, nothing happens."""
        return await replay(ReplayDocuments(name), request, response)

    router.add_api_route(
        _PARKED,
        list_parked_documents,
        methods=["GET"],
        summary="List parked documents",
        **sends(ADMINISTRATION_POLICIES[ListParkedDocuments]),
        tags=[TAG["name"]],
        responses=answers(
            200, "The parked documents.", problems=(*WITHOUT_HEADERS, PROJECTION_NOT_FOUND)
        ),
        route_class_override=PlannedRoute,
    )
    router.add_api_route(
        f"{_PARKED}/{{key}}/replay",
        replay_document,
        methods=["POST"],
        summary="Replay a parked document",
        **_replay(ReplayDocument, "The document will be replayed.", DOCUMENT_NOT_PARKED),
    )
    router.add_api_route(
        f"{_PARKED}/replay",
        replay_documents,
        methods=["POST"],
        summary="Replay all parked documents",
        **_replay(ReplayDocuments, "All parked documents will be replayed."),
    )


def _replay(kind: type[Message[Any]], answered: str, *problems: ProblemType) -> dict[str, Any]:
    refusals = (*WITHOUT_HEADERS, ORIGIN_NOT_ALLOWED, PROJECTION_NOT_FOUND, *problems)
    return {
        **sends(ADMINISTRATION_POLICIES[kind]),
        "tags": [TAG["name"]],
        "status_code": 202,
        "responses": answers(202, answered, headers=("Location",), problems=refusals),
        "route_class_override": PlannedRoute,
    }
