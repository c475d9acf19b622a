"""Claims of e-mail addresses that an earlier version stored, once the schema is upgraded."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from app.adapters.postgres import PostgresEventStore
from app.bootstrap import event_registry, register_commands
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import EmailTaken
from app.framework.mediator import Mediator
from tests.world import FROM_ANYONE

ROOT = Path(__file__).parents[2]

STRASSE = "al@stra\u00dfe.de"
BOLOS = "bo@\u03b2\u03cc\u03bb\u03bf\u03c2.com"
BUECHER = "Cy@b\u00fccher.de"
FORMER = "di@stra\u00dfe.de"


async def migrate(url, revision, direction=command.upgrade):
    """Go up or down to `revision`."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = url
    await asyncio.to_thread(direction, config, revision)


async def register(connection, user_id, *addresses):
    """Register a user with the first of `addresses` and change it to the others, as of old."""
    held: list[dict[str, str]] = []
    for version, address in enumerate(addresses):
        data = {"email": address}
        if not version:
            data |= {"user_id": user_id, "name": user_id, "avatar_url": None, "bio": None}
        event_type = "UserEmailChanged" if version else "UserRegistered"
        claim = {"scope": "email", "key": address.casefold()}
        item = {
            "stream_id": f"user-{user_id}",
            "expected_version": version,
            "metadata": {},
            "events": [{"type": event_type, "schema_version": 1, "data": data}],
            "claims": [claim],
            "releases": held,
        }
        append = "select * from append_events($1::jsonb)"
        [row] = await connection.fetch(append, json.dumps([item]))
        assert row["outcome"] == "appended"
        held = [claim]


@pytest.fixture
async def old(unmigrated_postgres_url):
    """A connection to a database in which an earlier version has registered users."""
    await migrate(unmigrated_postgres_url, "0002")
    connection = await asyncpg.connect(unmigrated_postgres_url)
    await register(connection, "al", STRASSE)
    await register(connection, "bo", "bo@example.com", BOLOS)
    await register(connection, "cy", BUECHER)
    await register(connection, "di", FORMER, "di@example.com")
    yield connection
    await connection.close()


@pytest.fixture
async def send(old, unmigrated_postgres_url):  # noqa: ARG001 - what was before
    """Sends commands to this version of the service, after the upgrade."""
    await migrate(unmigrated_postgres_url, "head")
    store = PostgresEventStore(unmigrated_postgres_url, event_registry())
    mediator = Mediator()
    register_commands(mediator, store)
    yield lambda command: mediator.send(command, FROM_ANYONE)
    await store.close()


async def test_an_address_that_was_claimed_in_the_old_form_is_taken(send):
    """By whoever registers it now."""
    for address in (STRASSE, "AL@STRA\u00dfE.de", BOLOS, BUECHER):
        with pytest.raises(EmailTaken):
            await send(RegisterUser("eve", "Eve", address))


async def test_an_address_that_only_folds_to_one_claimed_is_free(send):
    """And one that was given up before."""
    free = ("al@strasse.de", "bo@\u03b2\u03cc\u03bb\u03bf\u03c3.com", FORMER, "di@strasse.de")
    for number, address in enumerate(free):
        await send(RegisterUser(f"eve{number}", "Eve", address))


async def test_a_claim_of_the_old_form_is_released_with_a_later_change(old, send):
    """Its holder takes another address, and somebody else that one."""
    for user_id, address in (("al", STRASSE), ("bo", BOLOS), ("cy", BUECHER)):
        await send(UpdateUserProfile(user_id, email=f"{user_id}@example.org"))
        held = await old.fetch("select key from claims where stream_id = $1", f"user-{user_id}")
        assert [key for (key,) in held] == [f"{user_id}@example.org"]
        await send(RegisterUser(f"not-{user_id}", "Eve", address))
        with pytest.raises(EmailTaken):
            await send(RegisterUser("eve", "Eve", address))


async def test_what_is_registered_during_the_upgrade_is_claimed_in_the_new_form(
    old, unmigrated_postgres_url
):
    """It waits for an append that is under way, and none comes between its look and its change."""
    async with old.transaction():
        await register(old, "ed", "ed@stra\u00dfe.de")
        upgrading = asyncio.create_task(migrate(unmigrated_postgres_url, "head"))
        watching = await asyncpg.connect(unmigrated_postgres_url)
        waiting = "select count(*) from pg_locks where not granted"
        async with asyncio.timeout(30):
            while not await watching.fetchval(waiting):
                assert not upgrading.done()
                await asyncio.sleep(0.01)
        await watching.close()
    await upgrading

    keys = await old.fetch("select key from claims where scope = 'email' order by key")
    assert [key for (key,) in keys] == sorted(
        ["al@stra\u00dfe.de", BOLOS, "cy@b\u00fccher.de", "di@example.com", "ed@stra\u00dfe.de"]
    )


async def test_the_way_back_leads_to_the_old_form(old, unmigrated_postgres_url):
    """As far as the addresses are still free there."""
    before = await old.fetch("select * from claims order by key")
    await migrate(unmigrated_postgres_url, "head")
    assert await old.fetch("select * from claims order by key") != before
    await migrate(unmigrated_postgres_url, "0002", command.downgrade)
    assert await old.fetch("select * from claims order by key") == before
