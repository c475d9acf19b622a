"""Operators call the service."""

from typing import Any

import httpx
import pytest

from app.bootstrap import all_projections, build
from app.framework.administration import ListProjections, ReadLog
from app.framework.projections import (
    Build,
    BuildState,
    Comparison,
    ProjectionState,
    ProjectionStatus,
)
from app.host.settings import Settings
from app.main import create_app
from tests.unit.api.service import MemoryService, application

VIEW = "user_summaries"
PLACE = f"/admin/projections/{VIEW}"


@pytest.fixture(autouse=True)
async def _projected(service: MemoryService) -> None:
    """The views have a build each, which serves."""
    await service.project()


async def answered(
    client: httpx.AsyncClient, method: str, path: str, status: int, **sent: Any
) -> Any:
    """What a request is answered, which has this status."""
    answer = await client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def refused(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> str:
    """The status and the code of a problem."""
    answer = await client.request(method, path, **sent)
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    return f"{answer.status_code} {problem['code']}"


async def be_ready(service: MemoryService, number: int) -> None:
    """A build has caught up and was compared."""
    [found] = [each for each in await service.views.projections() if each.name == VIEW]
    record = found.numbered(number)
    assert record is not None
    serving = found.serving_build
    assert serving is not None
    build = Build(service.projection(VIEW), record.id)
    lease = await service.views.acquire(build, "here")
    assert lease is not None
    position = serving.position
    status = ProjectionStatus(VIEW, record.version, position, position, ProjectionState.RUNNING)
    await service.views.save(lease, status)
    await service.views.note(lease, state=BuildState.READY, comparison=Comparison(3, 1, ["a"]))


async def test_projections_are_listed_with_their_builds(client):
    """And each can be got, like each of its builds."""
    listed = (await answered(client, "GET", "/admin/projections", 200))["items"]
    names = [each["name"] for each in listed]
    assert names == sorted({each.name for each in all_projections()})
    found = await answered(client, "GET", PLACE, 200)
    assert found == listed[names.index(VIEW)]
    assert (found["serving"], found["paused"], found["lag"]) == (1, False, 0)
    build = await answered(client, "GET", f"{PLACE}/builds/1", 200)
    assert found["builds"] == [build]
    assert (build["state"], build["serves"], build["comparison"]) == ("serving", True, None)


async def test_a_projection_is_paused_and_resumed(client):
    """Each may be repeated."""
    for paused in (True, False):
        for _ in range(2):
            path = f"{PLACE}/{'pause' if paused else 'resume'}"
            assert (await answered(client, "POST", path, 200))["paused"] is paused
    assert (await answered(client, "GET", PLACE, 200))["paused"] is False


async def test_a_rebuild_is_begun_shown_served_and_retired(client, service):
    """It is shown where the answer says; what served before is retired."""
    begun = await client.post(f"{PLACE}/builds", json={})
    assert (begun.status_code, begun.headers["Location"]) == (202, f"{PLACE}/builds/2")
    assert (begun.json()["state"], begun.json()["take_over"]) == ("building", "when-equal")
    assert await answered(client, "GET", begun.headers["Location"], 200) == begun.json()
    assert await refused(client, "POST", f"{PLACE}/builds/2/serve") == "409 build-not-ready"
    await be_ready(service, 2)
    shown = await answered(client, "GET", f"{PLACE}/builds/2", 200)
    assert shown["comparison"] == {"compared": 3, "differing": 1, "keys": ["a"]}
    assert (await answered(client, "POST", f"{PLACE}/builds/2/serve", 200))["serving"] == 2
    assert await refused(client, "DELETE", f"{PLACE}/builds/2") == "409 build-serves"
    for _ in range(2):
        await answered(client, "DELETE", f"{PLACE}/builds/1", 204)
    assert (await answered(client, "GET", f"{PLACE}/builds/1", 200))["state"] == "retired"


async def test_a_rebuild_is_begun_once_under_a_key(client):
    """A repeat is answered with the same build; another request under the key is refused."""
    headers, path = {"Idempotency-Key": "k"}, f"{PLACE}/builds"
    first = await client.post(path, json={"take_over": "on-request"}, headers=headers)
    again = await client.post(path, json={"take_over": "on-request"}, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    replayed = [each.headers.get("Idempotency-Replayed") for each in (first, again)]
    assert replayed == [None, "true"]
    for other in (path, "/admin/projections/user_history/builds"):
        answer = await refused(client, "POST", other, json={}, headers=headers)
        assert answer == "422 idempotency-key-reused"
    assert await refused(client, "POST", path, json={}) == "409 projection-busy"


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/admin/projections/books", "404 projection-not-found"),
        ("POST", "/admin/projections/books/pause", "404 projection-not-found"),
        ("POST", "/admin/projections/books/builds", "404 projection-not-found"),
        ("GET", f"{PLACE}/builds/7", "404 build-not-found"),
        ("POST", f"{PLACE}/builds/7/serve", "404 build-not-found"),
        ("DELETE", f"{PLACE}/builds/7", "404 build-not-found"),
        ("GET", f"{PLACE}/builds/x", "422 invalid-request"),
        ("GET", "/admin/log?cursor=x", "400 invalid-cursor"),
        ("GET", "/admin/log?after=-1", "422 invalid-request"),
    ],
)
async def test_what_is_not_there_is_a_problem(client, method, path, answer):
    """As everywhere."""
    body = b"{}" if path.endswith("/builds") else b""
    headers = {"Content-Type": "application/json"} if body else {}
    assert await refused(client, method, path, content=body, headers=headers) == answer


@pytest.mark.parametrize("body", [{"take_over": "when-caught-up"}, {"version": 2}, None])
async def test_a_rebuild_takes_what_it_declares(client, body):
    """Nothing else."""
    assert await refused(client, "POST", f"{PLACE}/builds", json=body) == "422 invalid-request"


async def test_the_log_and_streams_are_read(client, alice):
    """In pages; an event has its type, its data and where it comes from."""
    await client.patch(f"/users/{alice}", json={"name": "Alice S."}, headers={"X-Request-Id": "r"})
    first = await answered(client, "GET", "/admin/log?limit=1", 200)
    rest = await answered(client, "GET", f"/admin/log?cursor={first['next_cursor']}", 200)
    [event] = rest["items"]
    assert rest["next_cursor"] is None
    assert (event["position"], event["version"], event["type"]) == (2, 2, "UserNameChanged")
    assert (event["data"]["name"], event["metadata"]["correlation_id"]) == ("Alice S.", "r")
    stream = await answered(client, "GET", f"/admin/streams/{event['stream_id']}", 200)
    assert stream["items"] == [*first["items"], event]
    of_type = "/admin/log?type=UserNameChanged"
    assert (await answered(client, "GET", of_type, 200))["items"] == [event]


async def test_answers_are_not_stored(client):
    """By no cache: they are of the moment."""
    for path in ("/admin/projections", PLACE, "/admin/log"):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


async def test_a_page_of_another_origin_changes_nothing(client):
    """A browser may not be made to rebuild what its user can reach."""
    sent = {"headers": {"Origin": "https://evil.example"}}
    answer = await refused(client, "POST", f"{PLACE}/pause", **sent)
    assert answer == "403 origin-not-allowed"


async def test_a_read_of_a_paused_view_says_so(client, alice):
    """With a token of what was written after the pause; without one it reads what there is."""
    await answered(client, "POST", "/admin/projections/user_profiles/pause", 200)
    changed = await client.patch(f"/users/{alice}", json={"name": "Alice S."})
    token = {"Consistency-Token": changed.headers["Consistency-Token"]}
    behind = await client.get(f"/users/{alice}", headers=token)
    assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind")
    assert behind.json()["detail"].startswith("The views are paused by an operator, ")
    assert (await answered(client, "GET", f"/users/{alice}", 200))["name"] == "Alice Smith"
    await answered(client, "POST", "/admin/projections/user_profiles/resume", 200)
    behind = await client.get(f"/users/{alice}", headers=token)
    assert "paused" not in behind.json()["detail"]


async def test_without_being_administered_nothing_is_there(service):
    """The default."""
    transport = httpx.ASGITransport(application(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        for path in ("/admin/projections", PLACE, "/admin/log", "/admin/streams/user-a"):
            assert await refused(client, "GET", path) == "404 not-found"


@pytest.mark.parametrize(
    ("host", "served"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_operators_are_served_on_loopback(host, served):
    """Until clients are authorised, others must not reach these routes."""
    urls = {"database_url": "postgresql://x/", "mongodb_url": "mongodb://x/"}
    app = create_app(Settings.load(host=host, auth="none-anywhere", **urls))
    assert any(path.startswith("/admin/") for path in app.openapi()["paths"]) is served


@pytest.mark.parametrize(
    ("roles", "handled", "path"),
    [
        ("commands", [ReadLog], "/admin/projections"),
        ("queries", [ListProjections], "/admin/log"),
        ("projector", [ReadLog, ListProjections], None),
    ],
)
async def test_a_process_answers_for_the_databases_it_has(roles, handled, path):
    """Requests that need another one are misdirected."""
    urls = {"database_url": "postgresql://x/", "mongodb_url": "mongodb://x/"}
    settings = Settings.load(roles=roles, auth="none", **urls)
    build(settings).mediator.verify(handled)
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        if path is not None:
            assert await refused(client, "GET", path) == "421 misdirected-request"
