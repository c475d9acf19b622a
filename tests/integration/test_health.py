"""Health and projections over HTTP, whatever the roles of the process."""

import pytest

from app.bootstrap import all_projections
from app.host.settings import Settings
from tests.integration.conftest import caught_up, serving, shown

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}


async def test_a_process_with_all_roles_is_ready(client):
    """Live, and ready with a check for each thing it needs."""
    live = await client.get("/health/live")
    ready = await shown(client, "/health/ready", lambda it: it.status_code == 200)

    assert (live.status_code, live.json()["status"]) == (200, "ok")
    assert ready.json()["roles"] == ["commands", "projector", "queries"]
    assert [each["name"] for each in ready.json()["checks"]] == [
        "postgresql",
        "mongodb",
        "writes",
        "views",
        "projector",
    ]
    assert all(each["ok"] for each in ready.json()["checks"])


async def test_projections_follow_the_log(client, log):
    """Each says where it is; behind by nothing once it has caught up."""
    await client.post("/users", json=ALICE)
    await client.patch("/users/user123", json={"bio": "Hi"})
    await caught_up(client, await log.head())

    items = (await client.get("/projections")).json()["items"]

    assert {each["name"] for each in items} == {each.name for each in all_projections()}
    for each in items:
        assert (each["position"], each["head"], each["lag"]) == (2, 2, 0)
        assert (each["state"], each["last_error"]) == ("running", None)


async def build_views(settings) -> None:
    """Have a projector build what queries read, and stop."""
    both = settings.model_copy(update={"roles": frozenset({"projector", "queries"})})
    async with serving(both) as client:
        await shown(client, "/health/ready", lambda it: it.status_code == 200)


@pytest.mark.parametrize("role", ["commands", "queries", "projector"])
async def test_a_process_of_one_role(settings, role):
    """It serves health and projections, its own messages, and 421 for the rest."""
    await build_views(settings)
    async with serving(settings.model_copy(update={"roles": frozenset({role})})) as client:
        written = await client.post("/users", json=ALICE)
        read = await client.get("/users")
        live = await client.get("/health/live")
        ready = await shown(client, "/health/ready", lambda it: it.status_code == 200)
        projections = await client.get("/projections")

    assert written.status_code == (201 if role == "commands" else 421)
    assert read.status_code == (200 if role == "queries" else 421)
    assert live.json()["roles"] == ready.json()["roles"] == [role]
    assert projections.status_code == 200


@pytest.mark.parametrize(
    ("role", "unreachable"),
    [
        ("queries", {"database_url": "postgresql://postgres@127.0.0.1:1/diptych"}),
        ("commands", {"mongodb_url": "mongodb://127.0.0.1:1"}),
    ],
)
async def test_a_role_needs_its_own_database_only(settings, role, unreachable):
    """Queries start and serve without PostgreSQL, commands without MongoDB."""
    await build_views(settings)
    alone = settings.model_copy(update={"roles": frozenset({role}), **unreachable})

    async with serving(alone) as client:
        ready = await client.get("/health/ready")
        answer = await (client.get("/users") if role == "queries" else _register(client))

    assert ready.status_code == 200
    assert answer.is_success


async def _register(client):
    return await client.post("/users", json=ALICE)


async def test_three_processes_make_one_service(settings):
    """Written in one, carried over by another, read in a third."""

    def only(role: str) -> Settings:
        return settings.model_copy(update={"roles": frozenset({role})})

    async with (
        serving(only("commands")) as writer,
        serving(only("projector")),
        serving(only("queries")) as reader,
    ):
        written = await writer.post("/users", json=ALICE)
        read = await shown(reader, "/users/user123", lambda it: it.status_code == 200)

    assert read.json() == written.json()
