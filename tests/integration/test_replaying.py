"""A release that cannot apply an event is corrected, and an operator replays what it parked."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from app.cli import main
from app.contexts.users.domain.events import UserBioChanged
from app.contexts.users.projections import USER_PROFILES
from tests.integration.conftest import ALICE, BOB, caught_up, serving, shown

VIEW = USER_PROFILES.name
PLACE = f"/admin/projections/{VIEW}/parked"


def _refuse(*_: object) -> Any:
    raise KeyError("bio")


async def _poison(settings) -> dict[str, str]:
    """A broken release parks alice; the header of a read that holds all her changes."""
    async with serving(settings) as client:
        for each in (ALICE, BOB):
            assert (await client.post("/users", json=each)).status_code == 201
        for change in ({"bio": "Hello."}, {"name": "Alice S."}):
            changed = await client.patch("/users/alice", json=change)
        await caught_up(client, 4)
        [parked] = (await client.get(PLACE)).json()["items"]
        assert (parked["key"], parked["position"], parked["waiting"]) == ("alice", 3, 2)
        token = {"Consistency-Token": changed.headers["Consistency-Token"]}
        read = await client.get("/users/alice", headers=token)
        assert (read.status_code, read.json()["code"]) == (503, "document-parked")
        return token


async def _replay(settings, token: dict[str, str]) -> None:
    """A restart of the corrected release changes nothing; a replay does."""
    async with serving(settings) as client:
        assert (await client.patch("/users/bob", json={"bio": "Hi."})).status_code == 200
        await caught_up(client, 5)
        assert (await client.get(PLACE)).json()["items"][0]["waiting"] == 2
        asked = await client.post(f"{PLACE}/alice/replay")
        assert (asked.status_code, asked.headers["Location"]) == (202, PLACE)
        await shown(client, PLACE, lambda answer: answer.json()["items"] == [])
        # Processes look up every second which documents are parked.
        await asyncio.wait_for(_level(client, token), 10)


async def _level(client: httpx.AsyncClient, token: dict[str, str]) -> None:
    while (read := await client.get("/users/alice", headers=token)).status_code == 503:
        assert read.json()["code"] == "document-parked"
    assert (read.json()["name"], read.json()["bio"]) == ("Alice S.", "Hello.")


@pytest.mark.usefixtures("environment")
def test_a_parked_document_is_level_after_the_fold_was_corrected(settings, capsys):
    """Nothing is lost meanwhile; the commands show it while no process runs."""
    with pytest.MonkeyPatch.context() as release:
        release.setitem(USER_PROFILES.handlers, UserBioChanged, _refuse)
        token = asyncio.run(_poison(settings))
    assert main(["projections", "parked", VIEW, "--json"]) == 0
    [parked] = json.loads(capsys.readouterr().out)["items"]
    assert (parked["key"], parked["is_replaying"]) == ("alice", False)
    assert parked["since"].endswith("Z")
    asyncio.run(_replay(settings, token))
    assert main(["projections", "parked", VIEW]) == 0
    assert capsys.readouterr().out == f"No document of {VIEW} is parked.\n"
