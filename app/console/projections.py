"""The pages of projections: what serves, what is being made, and what is parked."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.console.actions import DONE
from app.console.live import Live, Parts
from app.console.pages import Pages
from app.console.session import base_of
from app.framework.administration import (
    GetProjection,
    ListParkedDocuments,
    ListProjections,
    PauseProjection,
)
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.sessions import PREFIX

_PROJECTIONS = f"{PREFIX}/projections"
_PARTS = ("actions", "state", "builds", "parked")


def add_projections(router: APIRouter, pages: Pages, live: Live) -> None:
    _add_list(router, pages, live)
    _add_one(router, pages, live)


def _add_list(router: APIRouter, pages: Pages, live: Live) -> None:
    async def values(request: Request) -> dict[str, Any]:
        return {"projections": await pages.send(request, ListProjections())}

    async def console_projections(request: Request) -> Response:
        return pages.page(request, "projections", **await values(request))

    async def console_projections_changes(request: Request) -> Response:
        async def look() -> Parts:
            found = await values(request)
            return {"list": pages.render("projections/list.html", base=base_of(request), **found)}

        return await live.parts_of(request, look)

    _add(router, _PROJECTIONS, pages.guarded(console_projections))
    _add_stream(router, f"{PREFIX}/live/projections", pages.guarded(console_projections_changes))


def _add_one(router: APIRouter, pages: Pages, live: Live) -> None:
    async def values(request: Request, name: str) -> dict[str, Any]:
        return {
            "projection": await pages.send(request, GetProjection(name)),
            "parked": await pages.send(request, ListParkedDocuments(name)),
            "may_act": pages.may(request, PauseProjection),
        }

    async def console_projection(request: Request, name: str) -> Response:
        done = DONE.get(request.query_params.get("done", ""))
        return pages.page(request, "projection", done=done, **await values(request, name))

    async def console_projection_changes(request: Request, name: str) -> Response:
        async def look() -> Parts:
            found = await values(request, name)
            return {
                each: pages.render(f"projection/{each}.html", base=base_of(request), **found)
                for each in _PARTS
                if each != "actions" or found["may_act"]
            }

        return await live.parts_of(request, look)

    _add(router, f"{_PROJECTIONS}/{{name}}", pages.guarded(console_projection))
    _add_stream(
        router, f"{PREFIX}/live/projections/{{name}}", pages.guarded(console_projection_changes)
    )


def _add(router: APIRouter, path: str, handler: object) -> None:
    router.add_api_route(path, handler, methods=["GET"], include_in_schema=False)  # type: ignore[arg-type]


def _add_stream(router: APIRouter, path: str, handler: object) -> None:
    router.add_api_route(
        path,
        handler,  # type: ignore[arg-type]
        methods=["GET"],
        include_in_schema=False,
        response_class=EventStreamResponse,
    )
