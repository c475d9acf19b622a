"""A resource of lamps, and a service of it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Path
from pydantic import BaseModel

from app.framework.http.refusals import answer_refusals
from app.framework.http.resources import Resource
from app.framework.mediator import Command, Mediator
from app.framework.mediator import Query as QueryMessage
from app.framework.request import NO_CONTEXT, Outcome, RequestContext
from app.framework.security import Policies, Policy
from tests.unit.api.edges import edge

LampId = Annotated[str, Path()]


class Lamp(BaseModel):
    """A lamp on the wire."""

    id: str
    version: int


class Light(BaseModel):
    """Has neither an id nor a version."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class Switch(Command[Lamp]):
    """Switch a lamp, at whichever version it is."""

    lamp_id: str
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Replace(Command[Lamp]):
    """Replace a lamp."""

    lamp_id: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Look(QueryMessage[Light]):
    """Look at a place, or at a part of it."""

    place: str
    number: int = 0


POLICIES: Policies = dict.fromkeys((Switch, Replace, Look), Policy("lamps"))


class Household:
    """A service of one resource; it keeps the contexts that its handler was given."""

    def __init__(self, resource: Resource, policies: Policies = POLICIES) -> None:
        self.contexts: list[RequestContext] = []
        mediator = Mediator()
        for each in (Switch, Replace):
            mediator.register(each.handled_by(self.handle))
        self.api = FastAPI()
        answer_refusals(self.api, frozenset(), {})
        self.api.add_middleware(edge)
        resource.add_to(self.api.router, mediator, policies, {}, asyncio.Event())

    async def handle(self, command: Any, context: RequestContext = NO_CONTEXT) -> Outcome[Lamp]:
        """Answer any command."""
        self.contexts.append(context)
        return Outcome(Lamp(id=command.lamp_id, version=1), 1, 1)

    async def ask(self, method: str, url: str, **headers: str) -> httpx.Response:
        """The answer to a request."""
        transport = httpx.ASGITransport(self.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, url, headers=named)


def lamps(**names: str) -> Resource:
    """A resource without operations."""
    return Resource("/lamps", tag="lamps", **names)
