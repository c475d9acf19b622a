"""What a plan refuses: it is said when the route is made, not when it is called."""

from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from app.framework.http.planned_route import PlannedRoute
from tests.unit.api.planned import Thing


async def number() -> int:
    """Something to depend on."""
    return 1


async def with_dependency(number: Annotated[int, Depends(number)]) -> None:
    """Depends on another."""


async def with_cookie(number: Annotated[int, Cookie()] = 1) -> None:
    """Takes a cookie."""


async def with_tasks(tasks: BackgroundTasks) -> None:
    """Leaves something to be done later."""


async def with_nothing_back() -> None:
    """Returns nothing."""


async def with_two_bodies(one: Thing, other: Thing) -> None:
    """Takes two bodies, as members of one."""


@pytest.mark.parametrize("endpoint", [with_dependency, with_cookie, with_tasks, with_two_bodies])
def test_what_it_cannot_give_is_refused(endpoint):
    """An endpoint that takes something else is refused when the route is made, not when used."""
    router = APIRouter(route_class=PlannedRoute)
    with pytest.raises(TypeError, match="a PlannedRoute has no"):
        router.post("/")(endpoint)


def test_an_endpoint_that_returns_nothing_is_refused():
    """There would be nothing to write."""
    router = APIRouter(route_class=PlannedRoute)
    with pytest.raises(TypeError, match="declares neither a model nor a response"):
        router.delete("/", status_code=204)(with_nothing_back)


class Filters(BaseModel):
    """A model of query parameters."""

    size: int = 1


async def with_a_query_model(filters: Annotated[Filters, Query()]) -> Thing:
    """Takes a model of parameters."""
    return Thing(name="a", size=filters.size)


async def with_a_validation_alias(
    size: Annotated[int, Query(validation_alias="length")] = 1,
) -> Thing:
    """Takes a parameter by another name than the documented one."""
    return Thing(name="a", size=size)


async def with_an_embedded_body(body: Annotated[Thing, Body(embed=True)]) -> Thing:
    """Takes its body as a member."""
    return body


async def with_one_or_several(names: Annotated[str | list[str], Query()] = "") -> Thing:
    """Takes a text or texts."""
    return Thing(name="".join(names))


async def with_a_body_of_another_kind(
    body: Annotated[Thing, Body(media_type="application/x-thing")],
) -> Thing:
    """Takes a body that is no JSON."""
    return body


async def in_order() -> Thing:
    """As it should be."""
    return Thing(name="a")


def at_once() -> Thing:
    """Is no coroutine."""
    return Thing(name="a")


async def in_parts() -> AsyncIterator[Thing]:
    """Answers with a stream of items."""
    yield Thing(name="a")


NOT_PLANNED = [
    (with_a_query_model, {}, "model of parameters, as filters is"),
    (with_a_validation_alias, {}, "validation_alias, as size has"),
    (with_an_embedded_body, {}, "embedded body, as body is"),
    (with_one_or_several, {}, "parameter of one value or several, as names is"),
    (with_a_body_of_another_kind, {}, "body that is no JSON, as body is"),
    (at_once, {}, "endpoint that is no coroutine function"),
    (in_parts, {}, "endpoint that is no coroutine function"),
    (in_order, {"response_class": PlainTextResponse}, "response_class"),
    (in_order, {"response_model_include": {"name"}}, "response_model_include"),
    (in_order, {"response_model_exclude": {"name"}}, "response_model_exclude"),
    (in_order, {"response_model_exclude_unset": True}, "response_model_exclude_unset"),
    (in_order, {"response_model_exclude_defaults": True}, "response_model_exclude_defaults"),
    (in_order, {"response_model_exclude_none": True}, "response_model_exclude_none"),
    (in_order, {"response_model_by_alias": False}, "response_model_by_alias=False"),
    (in_order, {"max_body_size": 10}, "max_body_size"),
]


@pytest.mark.parametrize(
    ("endpoint", "options", "words"), NOT_PLANNED, ids=[each[2] for each in NOT_PLANNED]
)
def test_what_is_not_planned_is_refused(endpoint, options, words):
    """When the route is made, in words that say what it is."""
    router = APIRouter(route_class=PlannedRoute)
    with pytest.raises(TypeError, match=f"^{endpoint.__name__}: a PlannedRoute has no {words}"):
        router.post("/", **options)(endpoint)


def test_a_lenient_content_type_is_refused():
    """Bodies are taken for JSON only if they say so."""
    router = APIRouter(route_class=PlannedRoute, strict_content_type=False)
    with pytest.raises(TypeError, match="strict_content_type=False"):
        router.post("/")(in_order)
