"""Rules for requests and answers, and dependencies, hold for planned routes."""

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Response

from app.framework.http.planned_route import PlannedRoute
from app.framework.http.request_rules import RepeatedHeader
from tests.unit.api.edges import edge
from tests.unit.api.planned import (
    JSON,
    Thing,
    add_things,
    answer_to,
    app_of,
    get,
    lost,
    messages_of,
    post,
)


@pytest.mark.parametrize("included", [False, True])
async def test_rules_for_headers_hold_in_an_included_router_too(included):
    """The planned route answers, or FastAPI where the router is included."""
    app, _ = app_of(PlannedRoute)
    if included:
        router = APIRouter(route_class=PlannedRoute)
        add_things(router)
        app = FastAPI()
        app.include_router(router)
    app.add_exception_handler(RepeatedHeader, lost)
    twice = [("If-None-Match", '"x"'), ("If-None-Match", '"abc"')]

    assert (await answer_to(app, get("/things/abc", headers=twice)))[0] == 304
    lines = [("X-Size", "1"), ("X-Size", "2")]
    assert (await answer_to(app, get("/thing?name=a", headers=lines)))[0] == 404
    for headers in ({}, {"Content-Type": "application/ld+json"}, {**JSON, "Content-Encoding": "x"}):
        assert (await answer_to(app, post(b'{"name": "a"}', headers)))[0] == 415


async def test_a_body_over_the_limit_is_refused_while_it_comes_in():
    """At once, though more of it is yet to come."""
    app, _ = app_of(PlannedRoute)
    part = {"type": "http.request", "body": b"x" * 11, "more_body": True}
    json = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    answers = await messages_of(edge(app, body_limit=10), "/things", part, headers=json)
    assert answers[0]["status"] == 413


async def deny() -> None:
    """Refuse every request."""
    raise HTTPException(401)


@pytest.mark.parametrize("where", ["route", "router", "application", "inclusion"])
async def test_dependencies_hold_where_they_are_declared(where):
    """FastAPI answers then, which calls them."""
    denying = [Depends(deny)]
    router = APIRouter(
        route_class=PlannedRoute, dependencies=denying if where == "router" else None
    )
    app = FastAPI(dependencies=denying if where == "application" else None)

    @router.get("/thing", dependencies=denying if where == "route" else None)
    async def get_thing() -> Thing:
        return Thing(name="a")

    if where == "application":
        app.router.add_api_route("/thing", get_thing, route_class_override=PlannedRoute)
    elif where == "inclusion":
        app.include_router(router, dependencies=denying)
    else:
        app.router.routes[:0] = router.routes
    assert (await answer_to(app, get("/thing")))[0] == 401


class More(Thing):
    """Has a member that is not for clients."""

    secret: str = "hidden"


async def test_members_that_the_model_lacks_are_not_sent():
    """An endpoint that returns an instance of a subclass leaks nothing of it."""
    router = APIRouter(route_class=PlannedRoute)

    @router.get("/thing")
    async def get_thing() -> Thing:
        return More(name="a")

    app = FastAPI()
    app.router.routes[:0] = router.routes
    assert (await answer_to(app, get("/thing")))[2] == b'{"name":"a","size":1}'


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_may_have_no_body_has_none(status):
    """The endpoint returns a body, which is dropped."""
    router = APIRouter(route_class=PlannedRoute)

    @router.get("/thing")
    async def get_thing(response: Response) -> Thing:
        response.status_code = status
        return Thing(name="a")

    app = FastAPI()
    app.router.routes[:0] = router.routes
    assert (await answer_to(app, get("/thing"))) == (status, [], b"")
