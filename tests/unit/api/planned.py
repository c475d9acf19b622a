"""Routes of one kind or another, and what they answer."""

import asyncio
import itertools
from typing import Annotated

import httpx
from fastapi import APIRouter, FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from app.framework.http.planned_route import PlannedRoute

JSON = {"Content-Type": "application/json"}


class Thing(BaseModel):
    """A body, of requests and of answers."""

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


class NotingPlanned(PlannedRoute, Noting):
    """A planned route that notes what it hands over to FastAPI."""


class Renamed(BaseModel):
    """A body whose member has another name for clients."""

    name: Annotated[str, Field(serialization_alias="displayName")]


numbers = itertools.count()


def add_things(router):
    """The same routes on each kind of router."""

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
    """An answer to an error of an endpoint: the body of the request and the error."""
    return PlainTextResponse(await request.body() + str(error).encode(), 404)


async def answer_to(app, request):
    """Status, headers and body of the answer."""
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


async def messages_of(app, path, *messages, headers=()):
    """The messages that an application sends when it receives `messages` and then nothing."""
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
        "http_version": "1.0",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    return answers
