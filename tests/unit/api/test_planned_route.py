import asyncio
import itertools
import json
from typing import Annotated

import httpx
import pytest
from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
)
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from app.framework.http.middleware import BodyLimit
from app.framework.http.planned_route import PlannedRoute
from app.framework.http.request_rules import RepeatedHeader

JSON = {"Content-Type": "application/json"}


class Thing(BaseModel):
    """A body, asked for and answered."""

    name: str
    size: int = 1


class Noting(APIRoute):
    """A route as FastAPI has it, which notes each request that comes to it."""

    handed_over: tuple[str, ...] = ()

    def get_route_handler(self):
        """FastAPI's own handler, with the note."""
        handler = super().get_route_handler()

        async def noted(request):
            self.handed_over += (request.url.path,)
            return await handler(request)

        return noted


class NotingDirect(PlannedRoute, Noting):
    """A direct route that notes what it hands over to FastAPI."""


class Renamed(BaseModel):
    """A body whose member has another name for clients."""

    name: Annotated[str, Field(serialization_alias="displayName")]


numbers = itertools.count()


def add_things(router):
    """The same routes, whatever the router makes of them."""

    @router.get("/things/{key}", response_model=Thing)
    async def get_thing(
        key: Annotated[str, Path(pattern="^[a-z]+$")],
        request: Request,
        response: Response,
        size: Annotated[int, Query(ge=1)] = 3,
        if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ):
        response.headers["ETag"] = f'"{key}"'
        if f'"{key}"' in (if_none_match or ""):
            return Response(None, 304, response.headers)
        return Thing(name=f"{request.method} {key}", size=size)

    @router.post("/things", status_code=201)
    async def make_thing(thing: Thing, response: Response) -> Thing:
        response.headers["Location"] = f"/things/{thing.name}"
        return thing

    @router.get("/thing")
    async def find_thing(
        name: str, x_size: Annotated[int, Header()], nick: Annotated[str, Query()] = "none"
    ) -> Thing:
        return Thing(name=name + nick, size=x_size)

    @router.get("/renamed")
    async def rename() -> Renamed:
        return Renamed(name="a")

    @router.get("/default")
    async def take_defaults(
        number: Annotated[int, Query(default_factory=lambda: next(numbers))],
        names: Annotated[list[str], Query()] = [],  # noqa: B006 - that is what it is about
    ) -> Thing:
        names.append("a")
        return Thing(name="".join(names), size=number)

    @router.post("/lost")
    async def lose(thing: Thing) -> Thing:
        raise LookupError(f"{thing.name} is lost")

    @router.post("/stream")
    async def stream(thing: Thing | None = None) -> Response:
        return StreamingResponse(iter([str(thing), "the end"]))

    @router.post("/hang-up")
    async def hang_up(request: Request, thing: Thing | None = None) -> Response:
        return Response(f"{thing}, gone: {await request.is_disconnected()}")


def app_of(route_class):
    """An application whose routes are of this class, and these routes."""
    router = APIRouter(route_class=route_class)
    add_things(router)
    app = FastAPI()
    app.router.routes[:0] = router.routes
    app.add_exception_handler(LookupError, lost)
    return app, router.routes


async def lost(request, error):
    """An answer with what had been asked, to an error of an endpoint."""
    return PlainTextResponse(await request.body() + str(error).encode(), 404)


async def answer_to(app, request):
    """What is answered: status, headers and body."""
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        answer = await client.request(**request)
    return answer.status_code, answer.headers.multi_items(), answer.content


def get(path, **more):
    """A GET."""
    return {"method": "GET", "url": path, **more}


def post(content, headers=JSON, url="/things"):
    """A POST of a body."""
    return {"method": "POST", "url": url, "content": content, "headers": headers}


IN_ORDER = [
    get("/things/abc"),
    get("/things/abc?size=7"),
    get("/things/abc?size=7&size=8"),
    get("/things/abc?other=7"),
    get("/things/abc", headers={"If-None-Match": '"abc"'}),
    get("/things/abc", headers=[("X-Other", "a"), ("X-Other", "b")]),
    get("/things/abc", headers={"X-Other": "é".encode("latin-1")}),
    get("/thing?name=a", headers={"X-Size": "2"}),
    get("/renamed"),
    post(b'{"name": "a", "size": 2}'),
    post(b'{"name": "a", "more": true}'),
    post(b'{"name": "a"}', {"Content-Type": "application/json; charset=utf-8"}),
    post('{"name": "é"}'.encode()),
    post(b'{"name": "a", "name": "b"}'),
    post(b'{"name": "a", "size": 1.0, "x": [NaN, 1e999, 123456789012345678901234567890]}'),
    post(b'{"name": "a"}', url="/lost"),
    post(b'{"name": "a"}', url="/stream"),
]

OUT_OF_ORDER = [
    get("/things/ABC"),
    get("/things/abc?size=0"),
    get("/things/abc?size=x"),
    get("/things/abc?size="),
    get("/thing"),
    get("/thing?name=a"),
    get("/thing", headers={"X-Size": "2"}),
    post(b""),
    post(b"{"),
    post(b"null"),
    post(b"[1]"),
    post(b"{}"),
    post(b'{"name": 1}'),
    post(b"[" * 100_000),
    post(b"\xff\xfe"),
    post('{"name": "a"}'.encode("utf-16")),
    post('\ufeff{"name": "a"}'.encode()),
    post(b'{"name": "a", "x": "\\ud800"}'),
    post(b'{"name": "a", "x": ' + b"[" * 500 + b"]" * 500 + b"}"),
    post(b"", {}, "/stream"),
    post(b"", {}),
    post(b'{"name": "a"}', {"Content-Type": "Application/JSON"}),
    post(b'{"name": "a"}', {"Content-Type": "application/json ; charset=utf-8"}),
    post(b'{"name": "a"}', {**JSON, "Content-Encoding": "identity"}),
]


@pytest.mark.parametrize("request_", [*IN_ORDER, *OUT_OF_ORDER], ids=str)
async def test_the_answer_is_that_of_fastapi(request_):
    """Whatever is asked, the answer is the same, down to its headers."""
    direct, _ = app_of(PlannedRoute)
    plain, _ = app_of(APIRoute)
    assert await answer_to(direct, request_) == await answer_to(plain, request_)


@pytest.mark.parametrize("request_", IN_ORDER, ids=str)
async def test_a_request_in_order_is_answered_directly(request_):
    """FastAPI is not asked."""
    app, routes = app_of(NotingDirect)
    await answer_to(app, request_)
    assert all(each.handed_over == () for each in routes)


async def test_a_default_is_made_anew_for_each_request():
    """One that a request changes is not another's, and one that is made is made each time."""
    app, routes = app_of(NotingDirect)
    answers = [json.loads((await answer_to(app, get("/default")))[2]) for _ in range(3)]
    assert [each["name"] for each in answers] == ["a"] * 3
    assert len({each["size"] for each in answers}) == 3
    assert all(each.handed_over == () for each in routes)


def test_the_documentation_is_that_of_fastapi():
    """The routes are described alike."""
    assert app_of(PlannedRoute)[0].openapi() == app_of(APIRoute)[0].openapi()


async def nobody() -> None:
    """Lets nobody in."""
    raise HTTPException(401)


@pytest.mark.parametrize("included", [False, True])
async def test_rules_for_headers_hold_whoever_answers(included):
    """The route itself, or FastAPI where its router is included."""
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


async def told(app, path, *messages, headers=()):
    """The messages that an application answers when it is told these and then nothing."""
    coming = iter(messages)
    answers = []

    async def receive():
        for message in coming:
            return message
        return await asyncio.Event().wait()

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    return answers


async def test_a_body_over_the_limit_is_refused_while_it_comes_in():
    """At once, though more of it is yet to come."""
    app, _ = app_of(PlannedRoute)
    part = {"type": "http.request", "body": b"x" * 11, "more_body": True}
    json = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    answers = await told(BodyLimit(app, 10), "/things", part, headers=json)
    assert answers[0]["status"] == 413


@pytest.mark.parametrize("route_class", [PlannedRoute, APIRoute])
async def test_what_is_handed_over_hears_of_a_hang_up(route_class):
    """After the body, which was empty."""
    app, _ = app_of(route_class)
    _, body = await told(
        app, "/hang-up", {"type": "http.request", "body": b""}, {"type": "http.disconnect"}
    )
    assert body["body"] == b"None, gone: True"


@pytest.mark.parametrize("whose", ["route", "router", "application", "inclusion"])
async def test_dependencies_are_heeded_whosever_they_are(whose):
    """FastAPI answers then, since it solves them."""
    denying = [Depends(nobody)]
    router = APIRouter(
        route_class=PlannedRoute, dependencies=denying if whose == "router" else None
    )
    app = FastAPI(dependencies=denying if whose == "application" else None)

    @router.get("/thing", dependencies=denying if whose == "route" else None)
    async def get_thing() -> Thing:
        return Thing(name="a")

    if whose == "application":
        app.router.add_api_route("/thing", get_thing, route_class_override=PlannedRoute)
    elif whose == "inclusion":
        app.include_router(router, dependencies=denying)
    else:
        app.router.routes[:0] = router.routes
    assert (await answer_to(app, get("/thing")))[0] == 401


class More(Thing):
    """Has a member that is not for clients."""

    secret: str = "hidden"


async def test_members_that_the_model_lacks_are_not_told():
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
    """Whatever the endpoint returns beside it."""
    router = APIRouter(route_class=PlannedRoute)

    @router.get("/thing")
    async def get_thing(response: Response) -> Thing:
        response.status_code = status
        return Thing(name="a")

    app = FastAPI()
    app.router.routes[:0] = router.routes
    assert (await answer_to(app, get("/thing"))) == (status, [], b"")
