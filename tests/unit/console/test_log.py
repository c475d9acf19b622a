"""The page of the log: which events are there, what is shown of them, and what comes."""

import json
import logging
import re
from typing import Any

import pytest

from app.console.log import SENT, SENT_OF_MANY, Filter, coming
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from tests.unit.api.conftest import ALICE
from tests.world import FROM_ANYONE

READS = ("console:read",)
SECRET = "Alice Smith"


@pytest.fixture
async def alice(service):
    """The stream of a user with three events, among others."""
    for each in (ALICE, *({**ALICE, "id": f"u{n}", "email": f"u{n}@x.org"} for n in range(3))):
        await register(service, each)
    await update(service, ALICE["id"], bio="<b>Hello</b>")
    return f"user-{ALICE['id']}"


async def register(service, user) -> None:
    """Register a user."""
    command = RegisterUser(user["id"], user["name"], user["email"])
    await service.mediator.send(command, FROM_ANYONE)


async def update(service, user_id: str, bio: str) -> None:
    """Change a profile."""
    await service.mediator.send(UpdateUserProfile(user_id, bio=bio), FROM_ANYONE)


def positions(page: str) -> list[int]:
    """The positions on a page, from top to bottom."""
    return [int(each) for each in re.findall(r'<td class="right">(\d+)</td>', page)]


async def test_the_last_events_are_there_the_newest_first(signed_in, alice):
    """With type, stream, actor and request, and no value."""
    page = (await signed_in(*READS).get("/console/log")).text
    assert positions(page) == [5, 4, 3, 2, 1]
    assert "UserBioChanged" in page
    assert f'href="/console/streams/{alice}?version=2"' in page
    assert "Hello" not in page
    assert SECRET not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("after=2", [3, 4, 5]),
        ("after=99", []),
        ("type=UserBioChanged", [5]),
        ("type=Nothing", []),
        ("stream=user-user123", [5, 1]),
        ("stream=user-user123&after=1", [5]),
        ("stream=user-user123&type=UserRegistered", [1]),
        ("stream=user-none", []),
        ("after=0&type=UserRegistered", [1, 2, 3, 4]),
    ],
)
@pytest.mark.usefixtures("alice")
async def test_events_are_chosen(signed_in, query, expected):
    """By type and stream, from any position."""
    page = await signed_in(*READS).get(f"/console/log?{query}")
    assert page.status_code == 200
    assert positions(page.text) == expected


async def test_a_position_that_is_none_is_refused(signed_in):
    """At the field, with what was typed."""
    for after in ("x", "-1", "1.5", "9" * 30, "²"):
        page = await signed_in(*READS).get("/console/log", params={"after": after})
        assert page.status_code == 422
        assert 'aria-invalid="true"' in page.text


@pytest.mark.usefixtures("alice")
async def test_payloads_take_the_scope_for_them_and_are_audited(signed_in, caplog, monkeypatch):
    """Hostile ones are text."""
    assert (await signed_in(*READS).get("/console/log?values=1")).status_code == 403
    monkeypatch.setattr(logging.getLogger("app.audit"), "propagate", True)
    with caplog.at_level(logging.INFO, "app.audit"):
        reader = signed_in(*READS, "log:read")
        await reader.get("/console/log")
        page = (await reader.get("/console/log?values=1")).text
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert SECRET in page
    [line] = [json.loads(each.message) for each in caplog.records if each.name == "app.audit"]
    assert (line["operation"], line["outcome"]) == ("console_log", "done")
    assert SECRET not in str(line)


async def sent(service, reader, address: str, **headers: str) -> list[dict[str, Any]]:
    """What a stream sends before the service stops."""
    service.stopping.set()
    answer = await reader.get(address, headers=headers)
    assert answer.status_code == 200, answer.text
    lines = [each for each in answer.text.splitlines() if each.startswith("data: ")]
    return [json.loads(each.removeprefix("data: ")) for each in lines]


async def test_events_that_come_are_sent(service, signed_in, alice):
    """Those after what the page has, or after what the browser got last."""
    await update(service, ALICE["id"], bio="Again")
    reader = signed_in(*READS)
    [_, first] = await sent(service, reader, "/console/live/log?after=5")
    assert positions(first["rows"]) == [6]
    assert first["query"] == "after=6"
    [_, resumed] = await sent(
        service, reader, "/console/live/log?after=5", **{"Last-Event-ID": "4-0"}
    )
    assert positions(resumed["rows"]) == [6, 5]
    of_stream = f"/console/live/log?after=1&version=1&stream={alice}"
    [_, mine] = await sent(service, reader, of_stream)
    assert positions(mine["rows"]) == [6, 5]
    assert "version=3" in mine["query"]
    assert (await reader.get("/console/live/log?after=x")).status_code == 204
    assert (await reader.get("/console/live/log?values=1")).status_code == 403


@pytest.mark.usefixtures("alice")
async def test_of_too_many_only_the_last_are_sent(service):
    """Few each second while it lasts, and a page says so; then all that happen are there again."""
    for each in range(3 * SENT):
        await update(service, ALICE["id"], bio=str(each))

    async def send(message):
        return await service.mediator.send(message, FROM_ANYONE)

    def render(events):
        return [each.position for each in events]

    found = coming(send, render, Filter(after=5))

    async def look():
        parts = [data for _, data in [await anext(found) for _ in range(3)]]
        return [(each["skipped"], each["rows"]) for each in parts if each and "rows" in each]

    last = 5 + 3 * SENT
    assert await look() == [(False, [*range(5 + SENT, 5, -1)])]
    assert await look() == [(True, [*range(last, last - SENT_OF_MANY, -1)])]
    for each in range(SENT + 1):
        await update(service, ALICE["id"], bio=f"Again {each}")
    last += SENT + 1
    assert await look() == [(True, [*range(last, last - SENT_OF_MANY, -1)])]
    await update(service, ALICE["id"], bio="The last one")
    assert await look() == [(False, [last + 1])]


@pytest.mark.usefixtures("alice")
async def test_a_stream_of_payloads_has_a_line_when_it_begins(
    service, signed_in, caplog, monkeypatch
):
    """One without payloads has none."""
    monkeypatch.setattr(logging.getLogger("app.audit"), "propagate", True)
    reader = signed_in(*READS, "log:read")
    with caplog.at_level(logging.INFO, "app.audit"):
        await sent(service, reader, "/console/live/log?after=0")
        [_, found] = await sent(service, reader, "/console/live/log?after=0&values=1")
    assert SECRET in found["rows"]
    [line] = [json.loads(each.message) for each in caplog.records if each.name == "app.audit"]
    assert (line["operation"], line["status"]) == ("console_log_changes", 200)
