"""A planned route answers as FastAPI does."""

import json

import pytest
from fastapi.routing import APIRoute

from app.framework.http.planned_route import PlannedRoute
from tests.unit.api.planned import JSON, NotingPlanned, answer_to, app_of, get, messages_of, post

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
    """The same status, headers and body, also where the request is refused."""
    planned, _ = app_of(PlannedRoute)
    plain, _ = app_of(APIRoute)
    assert await answer_to(planned, request_) == await answer_to(plain, request_)


@pytest.mark.parametrize("request_", IN_ORDER, ids=str)
async def test_a_request_in_order_is_answered_directly(request_):
    """FastAPI's handler does not get it."""
    app, routes = app_of(NotingPlanned)
    await answer_to(app, request_)
    assert all(each.handed_over == () for each in routes)


async def test_a_default_is_made_anew_for_each_request():
    """One that a request changes is not another's, and one that is made is made each time."""
    app, routes = app_of(NotingPlanned)
    answers = [json.loads((await answer_to(app, get("/default")))[2]) for _ in range(3)]
    assert [each["name"] for each in answers] == ["a"] * 3
    assert len({each["size"] for each in answers}) == 3
    assert all(each.handed_over == () for each in routes)


def test_the_documentation_is_that_of_fastapi():
    """The routes are described alike."""
    assert app_of(PlannedRoute)[0].openapi() == app_of(APIRoute)[0].openapi()


@pytest.mark.parametrize("route_class", [PlannedRoute, APIRoute])
async def test_an_endpoint_notices_a_hang_up(route_class):
    """After the body, which was empty."""
    app, _ = app_of(route_class)
    _, body = await messages_of(
        app, "/hang-up", {"type": "http.request", "body": b""}, {"type": "http.disconnect"}
    )
    assert body["body"] == b"None, gone: True"
