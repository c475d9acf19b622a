"""`projections verify`, on real servers."""

import asyncio
import json
import sys
from typing import Any

import asyncpg
import pytest

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.bootstrap import all_projections, event_registry
from app.cli import main
from app.contexts.users.projections import USER_HISTORY, USER_PROFILES, USER_SUMMARIES
from app.framework.projections import EVERYTHING
from tests.integration.auditing import differences
from tests.integration.conftest import ALICE, caught_up, lines_of, serving

NAMES = sorted(each.name for each in all_projections())
OF_USERS = (USER_HISTORY, USER_PROFILES, USER_SUMMARIES)


@pytest.mark.usefixtures("users")
def test_a_read_model_that_is_right_has_no_differences(capsys):
    """A row for each projection says what was compared."""
    assert main(["projections", "verify"]) == 0
    headings, *rows = lines_of(capsys)
    assert headings.split()[:6] == ["NAME", "BUILD", "VERSION", "POSITION", "HEAD", "DOCUMENTS"]
    found = {name: numbers for name, *numbers in (each.split() for each in rows)}
    assert list(found) == NAMES
    for each in OF_USERS:
        assert found[each.name] == ["1", str(each.version), *"222000", "nothing", "differs"]
    assert main(["projections", "verify", "--sample", "50", USER_PROFILES.name]) == 0
    assert lines_of(capsys)[1].endswith("nothing differs in a sample of 50 %")


def spoil(views) -> None:
    """Change one document, delete one, add one that comes from no event."""
    views[USER_PROFILES.id].update_one({"_id": "alice"}, {"$set": {"name": "Mallory"}})
    views[USER_SUMMARIES.id].delete_one({"_id": "bob"})
    [entry] = views[USER_HISTORY.id].find({"_position": 1})
    views[USER_HISTORY.id].insert_one({**entry, "_id": "of no event"})


def dump(views) -> dict[str, Any]:
    """All that the read model holds."""
    return {each: [*views[each].find().sort("_id")] for each in views.list_collection_names()}


@pytest.mark.usefixtures("users")
def test_documents_that_differ_from_the_log_are_named_and_left(capsys, views):
    """Each with what differs, but no content; nothing is changed."""
    spoil(views)
    before = dump(views)
    assert main(["projections", "verify"]) == 1
    lines = lines_of(capsys)
    named = "differs in name; stored at position 1, expected at position 1"
    assert f"{USER_PROFILES.name}: alice: {named}" in lines
    assert f"{USER_SUMMARIES.name}: bob: is missing; expected at position 2" in lines
    surplus = "no event leads to it; stored at position 1"
    assert f"{USER_HISTORY.name}: of no event: {surplus}" in lines
    assert "Mallory" not in "\n".join(lines)
    assert dump(views) == before


@pytest.mark.usefixtures("users")
def test_documents_that_differ_are_repaired_on_request(capsys, views, monkeypatch, tmp_path):
    """All of them; a program gets what was found as JSON, and the audit log has a line for each."""
    audit_log = tmp_path / "audit.log"
    monkeypatch.setenv("AUDIT_LOG", str(audit_log))
    due = dump(views)
    spoil(views)
    assert main(["projections", "verify", "--repair", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["items"]}
    assert {name: (each["differing"], each["repaired"]) for name, each in found.items()} == {
        **dict.fromkeys(NAMES, (0, 0)),
        **{each.name: (1, 1) for each in OF_USERS},
    }
    assert found[USER_PROFILES.name]["differences"] == [
        {
            "key": "alice",
            "kind": "changed",
            "detail": "differs in name; stored at position 1, expected at position 1",
            "is_repaired": True,
        }
    ]
    after = dump(views)
    [tombstone] = [each for each in after[USER_HISTORY.id] if "_deleted" in each]
    after[USER_HISTORY.id].remove(tombstone)
    assert tombstone["_id"] == "of no event"
    for each in after["projections"]:
        assert each.pop("repaired_at", None) or each["_id"] not in {it.id for it in OF_USERS}
    assert after == due
    assert main(["projections", "verify"]) == 0
    audited = [json.loads(each) for each in audit_log.read_text().splitlines()]
    assert [(each["operation"], each["outcome"], each["resource"]) for each in audited] == [
        ("begin_verification", "done", {"name": name}) for name in NAMES
    ]
    assert all(each["account"] for each in audited)


@pytest.mark.usefixtures("users")
def test_what_cannot_be_verified_is_said_and_nothing_is_changed(capsys, views):
    """Such as a build of a newer version of the service, which serves: it goes on to."""
    listed = {"id": "x", "version": 99}
    views["projections"].update_one(
        {"_id": USER_PROFILES.name},
        {"$set": {"serves": 99, "build": "x"}, "$push": {"builds": listed}},
    )
    before = dump(views)
    assert main(["projections", "verify"]) == 1
    table = "\n".join(lines_of(capsys))
    assert "not verified: this version of the service has no fold of build 2 (version 99)" in table
    assert table.count("nothing differs") == len(NAMES) - 1
    assert main(["projections", "verify", USER_PROFILES.name, "--build", "1"]) == 0
    assert main(["projections", "verify", USER_PROFILES.name, "--build", "7"]) == 1
    assert "not verified: there is no build 7" in capsys.readouterr().out
    assert dump(views) == before


async def replay(settings) -> None:
    """Replay documents that were parked as they were missing, until none is."""
    read_model = MongoReadModel(settings.mongodb_url, settings.mongodb_database, "motor")
    try:
        async with asyncio.timeout(20):
            while True:
                builds = [each.serving_build for each in await read_model.projections()]
                parked = [each.id for each in builds if each is not None and each.parked]
                if not parked:
                    return
                for each in parked:
                    await read_model.ask_to_replay(each, [EVERYTHING])
                await asyncio.sleep(0.1)
    finally:
        await read_model.close()


@pytest.mark.usefixtures("environment")
async def test_a_repair_goes_on_beside_a_service_that_writes(settings, views):
    """Nothing that was written meanwhile is lost, and nothing wrong is left."""
    names = [f"user-{number}" for number in range(20)]
    async with serving(settings) as client:
        for each in names:
            user = {"id": each, "name": "First", "email": f"{each}@example.com"}
            assert (await client.post("/users", json=user)).status_code == 201
        await caught_up(client, len(names))
        views[USER_PROFILES.id].update_many({}, {"$set": {"bio": "wrong", "name": "wrong"}})
        views[USER_SUMMARIES.id].delete_many({"_id": {"$in": names[:5]}})
        repair = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "projections", "verify", "--repair", "--json"),
            stdout=asyncio.subprocess.PIPE,
        )
        ended = asyncio.create_task(repair.communicate())
        written = 0
        while not ended.done():
            written += 1
            for each in names[::3]:
                answer = await client.patch(f"/users/{each}", json={"name": f"Name {written}"})
                assert answer.status_code == 200
        output, _ = await ended
        assert repair.returncode == 0, output
        head = len(names) + written * len(names[::3])
        await caught_up(client, head)
        found = {each["name"]: each for each in json.loads(output)["items"]}
        assert found[USER_PROFILES.name]["repaired"] > 0
        await replay(settings)
    log = PostgresEventStore(settings.database_url, event_registry())
    try:
        assert not await differences(log, settings)
    finally:
        await log.close()


@pytest.mark.usefixtures("environment")
def test_before_anything_is_projected_there_is_nothing_to_verify(capsys, views):
    """No build is begun for it."""
    assert main(["projections", "verify"]) == 1
    assert capsys.readouterr().out.count("not verified: no build serves") == len(NAMES)
    assert dump(views) == {}


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], f"there is no projection nothing, only {', '.join(NAMES)}"),
        (["--build", "1"], "--build takes the NAME of one projection"),
        (["--sample", "0"], "0.0 is not in the range"),
    ],
)
def test_what_cannot_be_asked_of_verify_is_refused(capsys, arguments, said):
    """In one line, with exit status 2."""
    assert main(["projections", "verify", *arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.fixture
async def gap(settings, environment) -> None:  # noqa: ARG001 - for the commands that follow
    """A log that has lost the second of three events."""
    async with serving(settings) as client:
        await client.post("/users", json=ALICE)
        for name in ("Alice Jones", "Alice Wonderland"):
            await client.patch("/users/alice", json={"name": name})
        await caught_up(client, 3)
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("delete from events where position = 2")
    await connection.close()


@pytest.mark.usefixtures("gap")
def test_a_gap_in_the_log_is_named(capsys):
    """By the position, and by the stream whose versions it breaks."""
    assert main(["projections", "verify"]) == 1
    lines = lines_of(capsys)
    name = USER_PROFILES.name
    assert f"{name}: the log has no event between positions 1 and 3" in lines
    assert f"{name}: user-alice: the stream has version 3 where 2 is expected" in lines
