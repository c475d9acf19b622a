"""How pages that are open stay up to date."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import Request

from app.console.live import Live
from app.framework.http.principals import set_principal
from app.framework.principal import ANYONE
from app.framework.security import Forbidden
from app.framework.storage import StorageUnavailable


def request(*, is_still_admitted: bool = True) -> Request:
    """One of a reader whose token is good, or no longer."""

    async def look(_: object) -> bool:
        return is_still_admitted

    scope: dict[str, Any] = {"type": "http"}
    set_principal(scope, ANYONE, look)
    return Request(scope)


async def texts(response) -> list[dict[str, Any]]:
    """The data of each event of a stream, to its end."""
    text = b"".join([each async for each in response.body_iterator]).decode()
    return [
        json.loads(each.removeprefix("data: "))
        for each in text.splitlines()
        if each.startswith("data: ")
    ]


async def test_a_stream_sends_what_has_changed_and_ends_with_the_service():
    """A part that stays is sent once; a storage that is away is said, and taken back."""
    stopping = asyncio.Event()
    found = iter([{"a": "1", "b": "1"}, {"a": "1", "b": "2"}, None, {"a": "1", "b": "2"}])

    async def look():
        try:
            parts = next(found)
        except StopIteration:
            stopping.set()
            return {}
        if parts is None:
            raise StorageUnavailable("MongoDB", "no primary")
        return parts

    live = Live(stopping, every_seconds=0.001)
    sent = await texts(live.parts(request(), look))
    trouble = [each["html"] for each in sent if each["id"] == "trouble"]
    others = [(each["id"], each["html"]) for each in sent if each["id"] != "trouble"]
    assert others == [("a", "1"), ("b", "1"), ("b", "2")]
    assert len(trouble) == 3
    assert "MongoDB" in trouble[1]
    assert "What is shown is from before" in trouble[1]


async def test_a_storage_that_is_away_keeps_no_stream_from_beginning():
    """The page that was opened in the outage says when it is over; what is refused is refused."""

    async def look():
        raise StorageUnavailable("MongoDB", "no primary")

    async def refused():
        raise Forbidden(["projections:read"])

    live = Live(asyncio.Event(), every_seconds=0.001)
    assert (await live.parts_of(request(), look)).status_code == 200
    with pytest.raises(Forbidden):
        await live.parts_of(request(), refused)


async def test_a_stream_ends_with_its_token():
    """The page is loaded again then, and asks for another one."""
    live = Live(asyncio.Event(), every_seconds=0.001, check_seconds=0.0)

    async def look():
        return {"a": "1"}

    assert (await texts(live.parts(request(is_still_admitted=False), look)))[-1] == {"left": True}


async def test_streams_are_bounded():
    """EventSource does not come back after a 204."""
    live = Live(asyncio.Event(), streams=0)

    async def look():
        return {}

    assert live.parts(request(), look).status_code == 204
