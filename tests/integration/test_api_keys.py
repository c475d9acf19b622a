"""The commands of API keys, on real servers."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pymongo import MongoClient

from app.adapters.identity import KeyVerifier, id_of
from app.adapters.identity.key_form import KEY_FORM
from app.adapters.mongo import MongoKeys
from app.adapters.postgres import PostgresKeys
from app.cli import main
from app.framework.principal import Principal
from app.framework.security import InvalidToken
from app.host.settings import Settings
from tests.integration.conftest import lines_of

CREATE = ["keys", "create", "--name", "the shop", "--scope", "users:list users:read:any"]


@pytest.fixture(autouse=True)
def audit_log(environment, monkeypatch, tmp_path) -> Path:  # noqa: ARG001 - for the commands
    """The file of the audit log; the commands are on databases of the test's own."""
    monkeypatch.setenv("AUDIT_LOG", str(tmp_path / "audit.log"))
    return tmp_path / "audit.log"


@pytest.fixture
def create(capsys) -> Callable[..., str]:
    """Makes a key by the command; expects its exit status."""

    def make(*more: str, status: int = 0) -> str:
        assert main([*CREATE, *more]) == status
        [key] = lines_of(capsys)
        return key

    return make


def verified_by(settings: Settings, key: str, *, postgres: bool) -> Principal:
    """The principal of a key in a new process with one of the databases."""
    assert settings.database_url
    assert settings.mongodb_url
    postgres_url, mongodb_url = settings.database_url, settings.mongodb_url

    async def verify() -> Principal:
        store = PostgresKeys(postgres_url) if postgres else None
        copy = None if postgres else MongoKeys(mongodb_url, settings.mongodb_database)
        verifier = KeyVerifier(store, copy)
        try:
            return await verifier.authenticate(key)
        finally:
            await verifier.close()

    return asyncio.run(verify())


def test_a_key_is_made_listed_and_revoked(create, settings, capsys):
    """It is shown once; processes with either database accept it, until it is revoked."""
    key = create("--expires-in", "30")
    for postgres in (True, False):
        found = verified_by(settings, key, postgres=postgres)
        assert found.scopes == {"users:list", "users:read:any"}
        assert found.expires_at

    assert main(["keys"]) == 0
    heading, row = lines_of(capsys)
    assert heading.split() == [
        "ID", "NAME", "CREATED", "EXPIRES", "LAST", "USED", "STATE", "SCOPES",
    ]  # fmt: skip
    assert row.startswith(f"{id_of(key)}  the shop  ")
    assert row.endswith("  -          valid  users:list users:read:any")

    for _ in range(2):
        assert main(["keys", "revoke", id_of(key)]) == 0
        assert capsys.readouterr().err == f"Key {id_of(key)} (the shop) is revoked.\n"
    for postgres in (True, False):
        with pytest.raises(InvalidToken, match="revoked"):
            verified_by(settings, key, postgres=postgres)
    assert main(["keys", "list", "--json"]) == 0
    printed = capsys.readouterr().out
    [item] = json.loads(printed)["items"]
    assert (item["id"], item["state"]) == (id_of(key), "revoked")
    assert set(item) == {
        "id", "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at", "state",
    }  # fmt: skip
    assert key.rpartition("_")[2] not in printed


def test_the_key_stands_alone_on_standard_output(capsys):
    """So `KEY=$(...)` has it; what it is stands on standard error, without the key."""
    assert main(CREATE) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{printed.out.strip()}\n"
    key = printed.out.strip()
    assert printed.err == (
        f"This is the only time that key {id_of(key)} (the shop) is shown; it never expires.\n"
    )


def test_creation_and_revocation_are_in_the_audit_log(create, audit_log, capsys):
    """With the id, what came of it and who did it; never the key."""
    key = create()
    assert main(["keys", "revoke", id_of(key)]) == 0
    assert main(["keys", "revoke", "0123456789"]) == 1
    assert main(["keys", "sync"]) == 0
    capsys.readouterr()
    text = audit_log.read_text()
    found = [json.loads(each) for each in text.splitlines()]
    assert [(each["operation"], each["outcome"], each["resource"]) for each in found] == [
        ("create_key", "done", {"key_id": id_of(key)}),
        ("revoke_key", "done", {"key_id": id_of(key)}),
        ("revoke_key", "failed", {"key_id": "0123456789"}),
        ("sync_keys", "done", {}),
    ]
    assert {each["principal"]["kind"] for each in found} == {"operator"}
    assert key.rpartition("_")[2] not in text


def test_what_could_not_be_done_is_said(create, settings, capsys, monkeypatch):
    """Without MongoDB the keys in PostgreSQL are right, and the same again completes it."""
    key = create()
    monkeypatch.setenv("MONGODB_URL", "mongodb://%2Fnowhere%2Fmongod.sock/?timeoutMS=200")
    late = create(status=1)
    assert main(["keys", "revoke", id_of(key)]) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(
        f"Key {id_of(key)} (the shop) is revoked in PostgreSQL, but not in MongoDB: "
    )
    verified_by(settings, late, postgres=True)
    with pytest.raises(InvalidToken, match="revoked"):
        verified_by(settings, key, postgres=True)
    verified_by(settings, key, postgres=False)

    monkeypatch.setenv("MONGODB_URL", settings.mongodb_url)
    assert main(["keys", "revoke", id_of(key)]) == 0
    with pytest.raises(InvalidToken, match="revoked"):
        verified_by(settings, key, postgres=False)
    verified_by(settings, late, postgres=False)


def test_a_later_list_in_mongodb_does_not_hide_a_revocation(create, settings, capsys):
    """Written when the clock of PostgreSQL was ahead, or before PostgreSQL was restored."""
    key = create()
    with MongoClient[Any](settings.mongodb_url) as client:
        copies = client[settings.mongodb_database]["api_keys"]
        copies.update_one({}, {"$mul": {"version": 2}})
    assert main(["keys", "revoke", id_of(key)]) == 0
    assert capsys.readouterr().err == f"Key {id_of(key)} (the shop) is revoked.\n"
    with pytest.raises(InvalidToken, match="revoked"):
        verified_by(settings, key, postgres=False)


async def deleted(settings: Settings) -> None:
    """Delete all keys in PostgreSQL."""
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("delete from api_keys")
    await connection.close()


def test_a_key_that_only_mongodb_has_is_refused_after_revoke(create, settings, capsys, monkeypatch):
    """One that was made since the backup from which PostgreSQL was restored."""
    key = create()
    asyncio.run(deleted(settings))
    verified_by(settings, key, postgres=False)
    monkeypatch.setenv("MONGODB_URL", "mongodb://%2Fnowhere%2Fmongod.sock/?timeoutMS=200")
    assert main(["keys", "revoke", id_of(key)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"There is no key {id_of(key)} in PostgreSQL")
    assert "MongoDB is unavailable" in line
    monkeypatch.setenv("MONGODB_URL", settings.mongodb_url)
    assert main(["keys", "revoke", id_of(key)]) == 1
    assert capsys.readouterr().err.startswith(f"There is no key {id_of(key)}; ")
    with pytest.raises(InvalidToken, match="no API key of this service"):
        verified_by(settings, key, postgres=False)


def test_a_list_of_another_log_is_replaced(create, settings):
    """By the next command, of whatever version it is."""
    with MongoClient[Any](settings.mongodb_url) as client:
        copies = client[settings.mongodb_database]["api_keys"]
        foreign = {"_id": "list", "log": "another", "version": 2**60, "keys": []}
        copies.insert_one(foreign)
    verified_by(settings, create(), postgres=False)


def test_a_copy_that_was_lost_is_written_again(create, settings, capsys):
    """By `keys sync`, over any other."""
    key = create()
    with MongoClient[Any](settings.mongodb_url) as client:
        client[settings.mongodb_database].drop_collection("api_keys")
    assert main(["keys", "sync"]) == 0
    assert capsys.readouterr().err == "The list of API keys in MongoDB is that in PostgreSQL.\n"
    verified_by(settings, key, postgres=False)


def test_no_key_is_printed_when_none_was_made(capsys, monkeypatch):
    """As PostgreSQL cannot be reached, for example."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert main(CREATE) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("PostgreSQL is unavailable: ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([*CREATE[:-1], "users:raed users:list"], 2, "there is no scope users:raed; there are "),
        ([*CREATE[:-1], " "], 2, "a key needs a scope; there are "),
        ([*CREATE[:3], "a\nb", *CREATE[4:]], 2, "a name has 1 to 100 visible characters"),
        ([*CREATE[:3], "", *CREATE[4:]], 2, "a name has 1 to 100 visible characters"),
        ([*CREATE, "--expires-in", "0"], 2, "--expires-in"),
        (["keys", "revoke", "0123456789"], 1, "There is no key 0123456789; "),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(capsys, arguments, status, said):
    """And changes nothing."""
    assert main(arguments) == status
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    assert said in line
    assert printed.out == ""
    if "scope" in said:
        assert line.partition("there are ")[2].startswith("changes:read, ")
    assert main(["keys", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"items": []}


def test_a_key_that_is_given_for_an_id_is_not_shown(create, capsys):
    """Lines of standard error end up in logs."""
    key = create()
    capsys.readouterr()
    assert main(["keys", "revoke", key]) == 2
    said = capsys.readouterr().err
    assert "an id has 10 digits and small letters" in said
    assert re.search(KEY_FORM, said) is None
