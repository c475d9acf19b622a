"""Operations as they are declared: what is derived, and what is refused when they are declared."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel

from app.framework.http.refusals import answer_refusals
from app.framework.http.resources import Resource
from app.framework.mediator import Command, Mediator
from app.framework.mediator import Query as QueryMessage
from app.framework.misconfigured import Misconfigured
from app.framework.request import NO_CONTEXT, Outcome, RequestContext

LampId = Annotated[str, Path()]


class Lamp(BaseModel):
    """A lamp on the wire."""

    id: str
    version: int


class Light(BaseModel):
    """Has neither an id nor a version."""

    is_on: bool


class LampIsBroken(Exception):
    """No problem stands for it."""


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
class FindLight(QueryMessage[Light]):
    """Whether it is light."""


@dataclass(frozen=True, slots=True)
class Look(QueryMessage[Light]):
    """Look at a place, or at a part of it."""

    place: str
    number: int = 0


class Household:
    """A service of one resource; it keeps the contexts that its handler was given."""

    def __init__(self, resource: Resource) -> None:
        self.contexts: list[RequestContext] = []
        mediator = Mediator()
        for each in (Switch, Replace):
            mediator.register(each.handled_by(self.handle))
        self.api = FastAPI()
        answer_refusals(self.api, frozenset(), {})
        resource.add_to(self.api.router, mediator, {}, asyncio.Event())

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


async def fingerprints_of(household: Household, urls: Sequence[str]) -> list[str]:
    """Those of requests under one key."""
    for url in urls:
        assert (await household.ask("POST", url, Idempotency_Key="k")).status_code == 200
    keys = [each.idempotency_key for each in household.contexts]
    return [each.fingerprint for each in keys if each]


async def test_what_is_asked_for_beside_the_body_tells_requests_apart():
    """Under one key another query would be taken for a repeat; what is not declared is nothing."""
    resource = lamps()

    @resource.command("POST", "/{lamp_id}", summary="Switch", answer=Lamp, answered="It.")
    def switch(lamp_id: LampId, seconds: Annotated[int, Query()] = 0) -> Switch:
        """Switch a lamp."""
        return Switch(lamp_id, seconds)

    urls = ["/lamps/a", "/lamps/a?seconds=0", "/lamps/a?other=1", "/lamps/a?seconds=5", "/lamps/b"]
    plain, same, unknown, longer, other = await fingerprints_of(Household(resource), urls)
    assert plain == same == unknown
    assert len({plain, longer, other}) == 3


async def test_a_command_without_a_version_ignores_if_match():
    """It is not documented either: nothing is promised about versions."""
    resource = lamps()

    @resource.command("POST", "/{lamp_id}", summary="Switch", answer=Lamp, answered="It.")
    def switch(lamp_id: LampId) -> Switch:
        """Switch a lamp."""
        return Switch(lamp_id)

    household = Household(resource)
    assert (await household.ask("POST", "/lamps/a", If_Match='"7"')).status_code == 200
    [operation] = household.api.openapi()["paths"]["/lamps/{lamp_id}"].values()
    assert "If-Match" not in {each["name"] for each in operation["parameters"]}
    assert "412" not in operation["responses"]


async def test_what_is_new_says_where_it_is():
    """Under the path of its resource, by the id in the answer."""
    resource = lamps()

    @resource.command(
        "POST", "/{lamp_id}", status=201, summary="Hang up", answer=Lamp, answered="It."
    )
    def hang_up(lamp_id: LampId) -> Switch:
        """Hang up a lamp."""
        return Switch(lamp_id)

    answer = await Household(resource).ask("POST", "/lamps/a")
    assert (answer.status_code, answer.headers["Location"]) == (201, "/lamps/a")


def test_an_error_without_a_problem_is_refused_at_start():
    """By the operation that declares it."""
    resource = lamps()

    @resource.command(
        "POST", "/{lamp_id}", summary="A", answer=Lamp, answered="It.", raises=(LampIsBroken,)
    )
    def switch(lamp_id: LampId) -> Switch:
        """Switch a lamp."""
        return Switch(lamp_id)

    with pytest.raises(
        Misconfigured, match="operation switch raises LampIsBroken, which has no problem"
    ):
        Household(resource)


def or_nothing(lamp_id: LampId) -> Switch | None:
    """Returns no message at times."""
    return Switch(lamp_id)


def without_annotation(lamp_id: LampId):
    """Returns who knows what."""
    return Switch(lamp_id)


def of_another_kind() -> FindLight:
    """Returns a query."""
    return FindLight()


def with_an_unknown_parameter(lamp_id: str) -> Switch:
    """Takes what may be in the path, the query or the body."""
    return Switch(lamp_id)


def with_an_optional_body(lamp: Lamp | None = None) -> Switch:
    """Takes a body that the fingerprint of a key would leave out."""
    return Switch(lamp.id if lamp else "")


def of_two_minds(lamp_id: LampId) -> Switch | Replace:
    """Returns commands of which one has an expected version."""
    return Switch(lamp_id)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (without_annotation, "has to be annotated with the Command it returns"),
        (or_nothing, "has to be annotated with the Command it returns"),
        (of_another_kind, "has to be annotated with the Command it returns"),
        (with_an_unknown_parameter, "lamp_id has to be a model, which is the body, or annotated"),
        (with_an_optional_body, "lamp has to be a model, which is the body, or annotated"),
        (of_two_minds, "some of its messages have an expected_version"),
    ],
)
def test_what_promises_nothing_definite_is_refused(function, words):
    """When it is declared."""
    declare = lamps().command("POST", summary="A", answer=Lamp, answered="It.")
    with pytest.raises(TypeError, match=f"^{function.__name__}.*{words}"):
        declare(function)


def test_an_answer_without_an_id_has_no_place():
    """When the operation is declared to make something new."""
    declare = lamps().command("POST", summary="A", answer=Light, answered="It.", status=201)
    with pytest.raises(TypeError, match="without an id"):

        @declare
        def switch(lamp_id: LampId) -> Switch:
            """Switch a lamp."""
            return Switch(lamp_id)


def test_links_lead_only_to_what_they_have_the_parameters_of():
    """An operation that takes more than the id cannot be called by a link."""
    resource = lamps(singular="lamp", plural="lamps", id_parameter="lamp_id")
    query: dict[str, Any] = {"summary": "Look", "answer": Light, "answered": "It."}
    command: dict[str, Any] = {"summary": "Change", "answer": Lamp, "answered": "It."}

    @resource.query(**query)
    def list_lamps(room: Annotated[str, Query()] = "") -> Look:
        """All of them."""
        return Look(room)

    @resource.query("/found", **query)
    def find_lamps(room: Annotated[str, Query()]) -> Look:
        """Those of a room."""
        return Look(room)

    @resource.query("/{lamp_id}", **query)
    def get_lamp(lamp_id: LampId) -> Look:
        """One."""
        return Look(lamp_id)

    @resource.query("/{lamp_id}/bulbs/{number}", **query)
    def get_bulb(lamp_id: LampId, number: Annotated[int, Path()]) -> Look:
        """A part of one."""
        return Look(lamp_id, number)

    @resource.command("POST", "/{lamp_id}", **command)
    def replace_lamp(lamp_id: LampId) -> Replace:
        """Change one."""
        return Replace(lamp_id)

    @resource.command("POST", "/{lamp_id}/bulbs/{number}", **command)
    def replace_bulb(lamp_id: LampId, number: Annotated[int, Path()]) -> Replace:
        """Change a part of one."""
        return Replace(lamp_id, number)

    operations = Household(resource).api.openapi()["paths"]
    links = operations["/lamps/{lamp_id}"]["post"]["responses"]["200"]["links"]
    assert set(links) == {"list_lamps", "get_lamp", "replace_lamp"}


@dataclass(frozen=True, slots=True)
class FollowLamps(QueryMessage[Any]):
    """What happens to lamps."""

    after: int | None
    seconds: float


class Happening(BaseModel):
    """Has an example with a position."""

    model_config = {"json_schema_extra": {"examples": [{"position": 1}]}}

    position: int


def follow(after: int | None, seconds: float) -> FollowLamps:
    """Follow what happens."""
    return FollowLamps(after, seconds)


def follow_all() -> FollowLamps:
    """Follow from anywhere."""
    return FollowLamps(None, 0)


@pytest.mark.parametrize(
    ("function", "item", "words"),
    [
        (follow_all, Happening, "a stream takes a position and a number of seconds"),
        (follow, Light, "Light has no example with a position"),
    ],
)
def test_a_stream_that_cannot_be_followed_is_refused(function, item, words):
    """When it is declared."""
    lamps().stream(summary="A", item=Happening, answered="It.")(follow)
    declare = lamps().stream(summary="A", item=item, answered="It.")
    with pytest.raises(TypeError, match=f"^{function.__name__}: {words}"):
        declare(function)
