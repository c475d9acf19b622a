"""Parked documents of projections."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.framework.administration import ListParkedDocuments, ReplayDocument, ReplayDocuments
from app.framework.http.headers import set_location
from app.framework.http.principals import context_of
from app.framework.http.problems.administration import DOCUMENT_NOT_PARKED, PROJECTION_NOT_FOUND
from app.framework.http.routes.administrative import ProjectionName, reads, writes
from app.framework.http.schemas.parked_documents import ParkedDocumentList
from app.framework.mediator import Mediator

_PARKED = "/admin/projections/{name}/parked"

_REPLAYED: Any = {"status": 202, "headers": ("Location",)}

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
        summary="List parked documents",
        **reads(ListParkedDocuments, "The parked documents.", PROJECTION_NOT_FOUND),
    )
    router.add_api_route(
        f"{_PARKED}/{{key}}/replay",
        replay_document,
        summary="Replay a parked document",
        **writes(
            ReplayDocument, "The document will be replayed.", DOCUMENT_NOT_PARKED, **_REPLAYED
        ),
    )
    router.add_api_route(
        f"{_PARKED}/replay",
        replay_documents,
        summary="Replay all parked documents",
        **writes(ReplayDocuments, "All parked documents will be replayed.", **_REPLAYED),
    )
