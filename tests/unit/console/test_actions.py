"""What operators do at the console: each asks once, shows its outcome, and has its line."""

import json
import logging
import re

import pytest

from app.framework.administration import BeginBuild, GetProjection
from app.framework.projections import (
    Build,
    BuildState,
    Comparison,
    ProjectionState,
    ProjectionStatus,
    Versioned,
)
from tests.unit.console.conftest import ORIGIN, form_of, park, submit
from tests.world import FROM_ANYONE

NAME = "user_profiles"
PAGE = f"/console/projections/{NAME}"


async def do(reader, action: str, **fields: str):
    """Ask for an action, and answer its question."""
    return await submit(reader, f"{PAGE}/{action}", f"{PAGE}/{action}", **fields)


async def details(service):
    """The projection as it is stored."""
    return await service.mediator.send(GetProjection(NAME), FROM_ANYONE)


async def begin(service, *, differing: int = 0) -> int:
    """The number of a build that is ready, and compared."""
    begun = (await service.mediator.send(BeginBuild(NAME), FROM_ANYONE)).value
    projection = service.projection(NAME)
    lease = await service.views.acquire(Build(projection, begun.collection), "there")
    head = await service.log.head()
    status = ProjectionStatus(NAME, projection.version, head, head, ProjectionState.RUNNING)
    await service.views.save(lease, status)
    comparison = Comparison(10, differing, [f"key-{each}" for each in range(differing)])
    await service.views.note(lease, state=BuildState.READY, comparison=comparison)
    return begun.number


@pytest.fixture
async def reader(signed_in, service):
    """A reader with all scopes, of a service with views."""
    await service.project()
    return signed_in()


async def test_pausing_and_resuming(reader, service):
    """The page asks, says what happens, and shows that it has happened."""
    assert "Pause user_profiles?" in (await reader.get(f"{PAGE}/pause")).text
    assert not (await details(service)).paused
    answer = await do(reader, "pause")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=pause")
    assert (await details(service)).paused
    shown = (await reader.get(answer.headers["location"])).text
    assert "It is paused." in shown
    assert "Resume …" in shown
    assert (await do(reader, "resume")).status_code == 303
    assert not (await details(service)).paused


async def test_a_form_that_is_sent_twice_begins_one_rebuild(reader, service):
    """Another form is refused then, and the page says why."""
    page = await reader.get(f"{PAGE}/rebuild")
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page.text))
    for _ in range(2):
        data = {**fields, "take_over": "on-request"}
        answer = await reader.post(f"{PAGE}/rebuild", data=data, headers={"Origin": ORIGIN})
        assert answer.status_code == 303
    [_, build] = (await details(service)).builds
    assert build.take_over == "on-request"
    refused = await do(reader, "rebuild", once="another")
    assert refused.status_code == 409
    assert "user_profiles is busy: build 2 is building" in refused.text
    assert f'<a href="{PAGE}">Back</a>' in refused.text


async def test_taking_over_going_back_and_retiring(reader, service):
    """Each is offered where it makes sense."""
    number = await begin(service, differing=1)
    assert f'href="{PAGE}/builds/{number}/differences"' in (await reader.get(PAGE)).text
    assert "Take over …" in (await reader.get(PAGE)).text
    answer = await do(reader, f"builds/{number}/serve")
    assert answer.headers["location"] == f"{PAGE}?done=serve"
    assert (await details(service)).serving == number
    assert f"{number}/differences" not in (await reader.get(PAGE)).text
    assert "Go back to it …" in (await reader.get(PAGE)).text
    assert (await do(reader, "builds/1/serve")).status_code == 303
    assert (await do(reader, f"builds/{number}/retire")).status_code == 303
    assert [each.number for each in (await details(service)).builds] == [1]
    refused = await do(reader, "builds/1/retire")
    assert refused.status_code == 409
    assert "Build 1 of user_profiles serves" in refused.text


async def test_differing_keys_are_side_by_side(reader, signed_in, service):
    """What differs is marked; without the scope for values there are keys alone."""
    number = await begin(service, differing=2)
    stored = {each.number: each.collection for each in (await details(service)).builds}
    left, right = {"name": "Ann", "bio": "x"}, {"name": "Ann", "bio": "<b>y</b>", "more": 1}
    await service.views.write(stored[1], {"key-0": Versioned(left, 1)})
    await service.views.write(stored[number], {"key-0": Versioned(right, 1)})
    assert "2 differ: look" in (await reader.get(PAGE)).text
    address = f"{PAGE}/builds/{number}/differences"
    page = (await reader.get(f"{address}?key=key-0")).text
    assert f'<a href="{PAGE}/verify">Compare what serves with the log</a>' in page
    assert re.findall(r'<tr class="differs"><th scope="row">(\w+)', page) == ["bio", "more"]
    assert "&lt;b&gt;y&lt;/b&gt;" in page
    lesser = signed_in("console:read", "projections:read")
    keys = await lesser.get(address)
    assert "key-1" in keys.text
    assert "takes the scope <code>log:read" in keys.text
    assert "Ann" not in keys.text
    assert (await lesser.get(f"{address}?key=key-0")).status_code == 403


async def test_replaying_what_is_parked(reader, service):
    """The table has the error and the event of each."""
    assert "No document is parked." in (await reader.get(PAGE)).text
    await park(service, NAME, key="a/b", error="KeyError: 'x'", position=7)
    shown = (await reader.get(PAGE)).text
    assert "KeyError: &#39;x&#39;" in shown
    assert f'href="{PAGE}/replay?key=a/b"' in shown
    answer = await do(reader, "replay", key="other")
    assert answer.status_code == 404
    assert "is not parked" in answer.text
    answer = await do(reader, "replay", key="a/b")
    assert answer.status_code == 303
    shown = (await reader.get(answer.headers["location"])).text
    assert "replaying" in shown
    assert "is refused again stays" in shown


async def test_comparing_with_the_log(reader):
    """It leads to a page with the result."""
    answer = await do(reader, "verify", sample="5")
    assert answer.status_code == 303
    page = await reader.get(answer.headers["location"])
    assert page.status_code == 200
    assert "compared with the log" in page.text
    assert "5 % of the documents" in page.text
    assert "have them replaced" not in page.text


async def test_acting_takes_the_scope_for_it(signed_in, service):
    """Without it nothing is offered, and nothing is done."""
    await service.project()
    lesser = signed_in("console:read", "projections:read", "log:read")
    shown = (await lesser.get(PAGE)).text
    assert "Pause …" not in shown
    assert "To act takes the scope <code>projections:admin</code>." in shown
    question = await lesser.get(f"{PAGE}/pause")
    assert "This takes the scope <code>projections:admin</code>." in question.text
    data = await form_of(lesser, "/console")  # any form of the session will do
    answer = await lesser.post(f"{PAGE}/pause", data=data, headers={"Origin": ORIGIN})
    assert answer.status_code == 403
    assert "This takes the scope projections:admin." in answer.text
    assert not (await details(service)).paused


async def test_what_is_done_and_looked_at_has_a_line_in_the_audit_log(
    reader, service, caplog, monkeypatch
):
    """With the projection, and no value."""
    number = await begin(service, differing=1)
    monkeypatch.setattr(logging.getLogger("app.audit"), "propagate", True)
    with caplog.at_level(logging.INFO, "app.audit"):
        await do(reader, "pause")
        await reader.get(f"{PAGE}/builds/{number}/differences")
        await reader.get(f"{PAGE}/builds/{number}/differences?key=key-0")
    lines = [json.loads(each.message) for each in caplog.records if each.name == "app.audit"]
    seen = [(each["operation"], each["outcome"], each["principal"]["subject"]) for each in lines]
    assert seen == [("console_pause", "done", "olga"), ("console_differences", "done", "olga")]
    assert lines[0]["resource"] == {"name": NAME}
