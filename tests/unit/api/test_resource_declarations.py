"""Operations that are refused when they are declared, or when the service starts."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from app.framework.mediator import Query as QueryMessage
from app.framework.misconfigured import Misconfigured
from app.framework.security import Policy
from tests.unit.api.lamps import Household, Lamp, LampId, Light, Look, Replace, Switch, lamps


class LampIsBroken(Exception):
    """No problem stands for it."""


@dataclass(frozen=True, slots=True)
class FindLight(QueryMessage[Light]):
    """Whether it is light."""


@dataclass(frozen=True, slots=True)
class LookAgain(QueryMessage[Light]):
    """Another query."""


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


@pytest.mark.parametrize(
    "policies",
    [{}, {Look: Policy("lamps")}, {Look: Policy("lamps"), LookAgain: Policy("lamps:replace")}],
)
def test_messages_without_one_policy_are_refused_at_start(policies):
    """The document could not say which scopes their operation takes."""
    resource = lamps()

    @resource.query("/{lamp_id}", summary="A", answer=Light, answered="It.")
    def look(lamp_id: LampId) -> Look | LookAgain:
        """Look at a lamp."""
        return Look(lamp_id)

    with pytest.raises(Misconfigured, match="operation look sends messages without one policy"):
        Household(resource, policies)


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
