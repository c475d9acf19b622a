"""A request reaches the route that it would reach if the routes were tried one by one."""

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse
from starlette.routing import NoMatchFound, Route

from app.framework.http.indexed_routes import IndexedRoutes
from app.framework.http.operation_index import OperationIndex
from tests.unit.api.edges import edge

PATHS = ("/things/me", "/things/{thing_id}", "/{kind}/me", "/things/{thing_id}/{part:path}")

REQUESTS = [
    (method, path)
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE")
    for path in ("/things/me", "/things/1", "/lamps/me", "/things/1/a/b", "/things/1/", "/", "/x")
]


def app_of(paths, operations: OperationIndex | None = None) -> FastAPI:
    """An application whose answers name the route, after one that is no operation."""

    async def passed_over(_: Request) -> PlainTextResponse:
        return PlainTextResponse("plain")

    app = FastAPI(redirect_slashes=False, routes=[Route("/lamps/{name}", passed_over)])
    for path in paths:
        for method in ("GET", "PUT") if path == "/things/me" else ("GET", "POST"):

            async def answer(request: Request) -> str:
                return f"{request.scope['route'].path} {request.path_params}"

            app.add_api_route(path, answer, methods=[method], name=f"{method} {path}")
    if operations:
        operations.add(app.router.routes)
        app.router.routes.insert(1, IndexedRoutes())
    return app


async def answers_of(app, root_path="") -> list[tuple[int, str, str | None]]:
    """What answers each of the requests."""
    transport = httpx.ASGITransport(app, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        answers = [await client.request(method, root_path + path) for method, path in REQUESTS]
    return [(each.status_code, each.text, each.headers.get("allow")) for each in answers]


@pytest.mark.parametrize("paths", [PATHS, PATHS[::-1]])
@pytest.mark.parametrize("root_path", ["", "/api"])
async def test_the_first_route_that_is_for_a_request_answers_it(paths, root_path):
    """With the values in its path; methods that it does not take are refused as ever."""
    expected = await answers_of(app_of(paths), root_path)
    assert {200, 404, 405} == {status for status, _, _ in expected}
    operations = OperationIndex()
    app = edge(app_of(paths, operations), operations=operations)
    assert await answers_of(app, root_path) == expected


def test_addresses_are_made_by_the_routes():
    """The index has none."""
    app = app_of(PATHS, OperationIndex())
    assert app.url_path_for("GET /things/{thing_id}", thing_id="1") == "/things/1"
    with pytest.raises(NoMatchFound):
        app.url_path_for("absent")
