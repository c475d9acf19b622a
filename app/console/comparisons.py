"""The pages of comparisons: a build with the one that serves, and what serves with the log."""

from fastapi import APIRouter, Request, Response

from app.console.live import Live, Parts
from app.console.pages import Pages
from app.console.session import base_of
from app.console.side_by_side import rows
from app.framework.administration import (
    BeginVerification,
    ComparedDocument,
    CompareDocument,
    DocumentOfBuild,
    GetBuild,
    GetVerification,
)
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.sessions import PREFIX
from app.framework.projections import Document

_PROJECTION = f"{PREFIX}/projections/{{name}}"


def add_comparisons(router: APIRouter, pages: Pages, live: Live) -> None:
    _add_differences(router, pages)
    _add_verifications(router, pages, live)


def _add_differences(router: APIRouter, pages: Pages) -> None:
    async def console_differences(request: Request, name: str, number: int) -> Response:
        build = await pages.send(request, GetBuild(name, number))
        key, found = request.query_params.get("key"), None
        if key is not None:
            found = await pages.send(request, CompareDocument(name, number, key))
        return pages.page(
            request,
            "differences",
            name=name,
            build=build,
            key=key,
            found=found,
            rows=_rows(found) if found else (),
            may_look=pages.may(request, CompareDocument),
        )

    router.add_api_route(
        f"{_PROJECTION}/builds/{{number}}/differences",
        pages.guarded(console_differences),
        methods=["GET"],
        include_in_schema=False,
    )


def _rows(found: ComparedDocument) -> object:
    serving = _document(found.serving) if found.serving else None
    return rows(serving, _document(found.other))


def _document(of_build: DocumentOfBuild) -> Document | None:
    return of_build.stored.document if of_build.stored else None


def _add_verifications(router: APIRouter, pages: Pages, live: Live) -> None:
    async def console_verification(request: Request, name: str, verification: str) -> Response:
        found = await pages.send(request, GetVerification(name, verification))
        may_act = pages.may(request, BeginVerification)
        return pages.page(request, "verification", name=name, it=found, may_act=may_act)

    async def console_verification_changes(
        request: Request, name: str, verification: str
    ) -> Response:
        async def look() -> Parts:
            found = await pages.send(request, GetVerification(name, verification))
            return {
                "result": pages.render("result.html", base=base_of(request), name=name, it=found)
            }

        return await live.parts_of(request, look)

    path = "projections/{name}/verifications/{verification}"
    router.add_api_route(
        f"{PREFIX}/{path}",
        pages.guarded(console_verification),
        methods=["GET"],
        include_in_schema=False,
    )
    router.add_api_route(
        f"{PREFIX}/live/{path}",
        pages.guarded(console_verification_changes),
        methods=["GET"],
        include_in_schema=False,
        response_class=EventStreamResponse,
    )
