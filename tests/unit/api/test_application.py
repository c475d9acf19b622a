"""The application around a service: its life, health and projections."""

from dataclasses import replace

import httpx
import pytest

from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.framework.http.application import create_api
from app.framework.http.problems.kinds import ErrorMapping, ProblemType
from app.framework.http.resources import HttpSide, Resource
from app.framework.http.schemas.problem import ProblemTypeList
from app.framework.http.service import Check
from app.framework.misconfigured import Misconfigured
from app.main import ABOUT, NO_AUTHENTICATION
from tests.unit.api.service import MemoryService, application

ROLES = ["commands", "projector", "queries"]


async def test_the_service_opens_and_closes_with_the_application(service):
    """Nothing is opened before the lifespan begins; it is closed when it ends."""
    api = application(service)
    assert service.calls == []

    async with api.router.lifespan_context(api):
        assert service.calls == ["open"]
    assert service.calls == ["open", "close"]


async def test_a_service_that_cannot_open_is_closed():
    """What it raises ends the start-up, and what it had opened by then is let go of."""

    class Unreachable(MemoryService):
        async def open(self):
            raise ConnectionError("nobody there")

    service = Unreachable()
    api = application(service)

    with pytest.raises(ConnectionError):
        async with api.router.lifespan_context(api):
            pytest.fail("it serves")
    assert service.calls == ["close"]


async def test_liveness_looks_at_nothing(client, service):
    """200 as long as the process answers, however its checks stand."""
    service.found = [Check("postgresql", ok=False, detail="no route")]

    answer = await client.get("/health/live")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "roles": ["commands", "projector", "queries"],
        "checks": [],
    }


async def test_a_process_is_ready_when_every_check_is_ok(client, service):
    """200, with the roles and the checks."""
    service.found = [Check("postgresql", ok=True), Check("mongodb", ok=True)]

    answer = await client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "roles": ["commands", "projector", "queries"],
        "checks": [
            {"name": "postgresql", "ok": True, "detail": "", "roles": ROLES},
            {"name": "mongodb", "ok": True, "detail": "", "roles": ROLES},
        ],
    }


async def test_a_process_that_lacks_something_is_not_ready(client, service):
    """503, with the same body, which says what is missing."""
    service.found = [Check("postgresql", ok=True), Check("mongodb", ok=False, detail="no route")]

    answer = await client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["checks"][1] == {
        "name": "mongodb",
        "ok": False,
        "detail": "no route",
        "roles": ROLES,
    }


async def test_a_role_is_ready_whatever_another_lacks(client, service):
    """So that a projector that has stopped does not keep commands from being taken."""
    service.found = [
        Check("writes", ok=True, roles=frozenset({"commands"})),
        Check("projector", ok=False, detail="It stopped.", roles=frozenset({"projector"})),
    ]

    answers = {
        role: await client.get("/health/ready", params={"role": role})
        for role in ("commands", "projector", "nothing")
    }

    assert {role: each.status_code for role, each in answers.items()} == {
        "commands": 200,
        "projector": 503,
        "nothing": 422,
    }
    assert [each["name"] for each in answers["commands"].json()["checks"]] == ["writes"]
    assert (await client.get("/health/ready")).status_code == 503


async def test_a_role_that_a_process_does_not_have_is_not_ready(client, service):
    """A balancer that asks for it must not send it anything."""
    service.roles = frozenset({"queries"})
    service.found = [Check("mongodb", ok=True)]

    answer = await client.get("/health/ready", params={"role": "commands"})

    assert answer.status_code == 503
    assert answer.json()["checks"][-1]["detail"] == "This process does not serve commands."


async def test_projections_are_listed(client):
    """With what is known of each; what is not known is null."""
    answer = await client.get("/projections")

    first, second = answer.json()["items"]
    assert first == {
        "name": "user_profiles",
        "version": 2,
        "position": 4,
        "head": 6,
        "lag": 2,
        "state": "retrying",
        "last_error": "no route",
        "seen_at": None,
        "build": 3,
        "serves": True,
        "holder": "here",
        "held_since": "2026-03-14T00:00:00Z",
    }
    assert (second["lag"], second["state"], second["holder"]) == (None, "unknown", None)


async def test_two_applications_share_nothing():
    """Each answers from its own service."""
    first, second = MemoryService(), MemoryService()
    first.roles = frozenset({"queries"})

    for service in (first, second):
        transport = httpx.ASGITransport(application(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
            answer = await client.get("/health/live")
        assert answer.json()["roles"] == sorted(service.roles)


LAMP_BROKEN = ProblemType(409, "lamp-broken", "Lamp broken", "It is broken.", "Replace it.")


def lamps(path: str = "/lamps", *, title: str = "Lamp broken", name: str = "list_lamps"):
    """A context with one operation and one kind of problem."""
    resource = Resource(path, tag="lamps")

    def read() -> ListUserSummaries:
        """All of them."""
        return ListUserSummaries()

    read.__name__ = name
    resource.query(summary="List", answer=ProblemTypeList, answered="A page.")(read)
    error = type("LampIsBroken", (Exception,), {})
    problems = {error: ErrorMapping(replace(LAMP_BROKEN, title=title))}
    return HttpSide(resources=[resource], problems=problems)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (lamps("/others"), "Two operations are named list_lamps."),
        (lamps(name="read_lamps"), "Two operations answer GET /lamps."),
        (lamps("/projections", name="read"), "Two operations answer GET /projections."),
        (
            lamps("/others", name="read", title="Broken"),
            "Two kinds of problems have the code lamp-broken.",
        ),
    ],
)
def test_what_two_contexts_have_in_common_is_refused(service, other, complaint):
    """One of the two would not be reached, or be taken for the other."""
    create_api(service, [lamps(), lamps("/others", name="read")], ABOUT, access=NO_AUTHENTICATION)
    with pytest.raises(Misconfigured) as refused:
        create_api(service, [lamps(), other], ABOUT, access=NO_AUTHENTICATION)
    assert refused.value.problems == (complaint,)
