"""The ASGI application: routes, problems and middleware around a service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from app import __version__
from app.api.heads import head_routes
from app.api.middleware import (
    Admission,
    BodyLimit,
    CrossOrigin,
    LastResort,
    Places,
    RequestGuard,
    RequestIds,
)
from app.api.openapi import complete
from app.api.problems import REFUSALS, problem_types
from app.api.problems.kinds import Refusals
from app.api.refusals import answer_refusals
from app.api.routes.changes import changes_router
from app.api.routes.docs import docs_router
from app.api.routes.health import health_router
from app.api.routes.problems import problems_router
from app.api.routes.projections import projections_router
from app.api.routes.users import users_router
from app.api.service import Service

BODY_LIMIT = 64 * 1024
HEADER_LIMIT = 32 * 1024
REQUESTS = 160
"""How many requests are worked on at once; more are refused, see docs/adr/0023-admission.md."""

_DESCRIPTION = """\
User profiles, written by commands and read by queries.

A write is recorded in PostgreSQL when it is answered; the views that reads are served from
follow at once, but not in the same instant. Every refusal is an `application/problem+json`
document with a `code` to tell it by. Every answer carries an `X-Request-Id`: the one the
request came with, if that was 1 to 128 visible ASCII characters, or a new one. What answers
GET answers HEAD as well, the stream of changes excepted.
"""

_TAGS = [
    {"name": "users", "description": "Registering, changing, listing users; their past."},
    {"name": "changes", "description": "What happens to users, as it happens."},
    {"name": "projections", "description": "How far the views are behind the log."},
    {"name": "problems", "description": "What the kinds of problems mean."},
    {"name": "health", "description": "For whoever runs the service."},
]


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def create_api(
    service: Service,
    *,
    routers: Sequence[APIRouter] = (),
    refusals: Refusals | None = None,
    hosts: frozenset[str] | None = None,
    origins: frozenset[str] = frozenset(),
) -> FastAPI:
    """The application around `service`, which opens and closes with it.

    `routers` and `refusals` come on top of those that are listed here. `hosts` are those that
    requests may be for, any if it is None; `origins` are those whose pages may call.
    """
    places = Places(REQUESTS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await service.open()
            yield
        finally:
            await service.close()

    api = _Api(
        title="Diptych",
        version=__version__,
        summary="User profiles, with reads and writes apart.",
        description=_DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        contact={"name": "The engineers of Diptych"},
        servers=[{"url": "/", "description": "This service"}],
        openapi_tags=_TAGS,
        openapi_url=None,  # served by docs_router
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=_middleware(places, hosts, origins),
        lifespan=lifespan,
    )
    # For the server: it alone knows when, and refuses what is too much before it comes here.
    api.state.draining = service.draining
    api.state.stopping = service.stopping
    api.state.places = places
    all_refusals = {**REFUSALS, **(refusals or {})}
    answer_refusals(api, service.roles, all_refusals)
    routes: list[BaseRoute] = []
    for router in (
        users_router(service.mediator),
        changes_router(service),
        projections_router(service),
        health_router(service),
        problems_router(problem_types(all_refusals)),
        docs_router(api),
        *routers,
    ):
        routes += router.routes
    _put_first(api, routes)
    return api


def _middleware(
    places: Places, hosts: frozenset[str] | None, origins: frozenset[str]
) -> list[Middleware]:
    return [
        Middleware(RequestIds),
        *([Middleware(CrossOrigin, origins=origins)] if origins else []),
        Middleware(LastResort),
        Middleware(RequestGuard, limit=HEADER_LIMIT, hosts=hosts, origins=origins),
        Middleware(BodyLimit, limit=BODY_LIMIT),
        Middleware(Admission, places=places),
    ]


def _put_first(api: FastAPI, routes: Sequence[BaseRoute]) -> None:
    # Each request goes through the routes of an included router twice, and before that through
    # those of FastAPI's own that serve the documentation. Those for HEAD are asked for least.
    for each in routes:
        if isinstance(each, APIRoute):
            each.unique_id = each.name
    api.router.routes[:0] = [*routes, *head_routes(routes)]
