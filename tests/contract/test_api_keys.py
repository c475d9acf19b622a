"""API keys: the list in PostgreSQL, commands at once, and what processes with its copy accept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from pymongo import AsyncMongoClient

from app.adapters.identity import KeyVerifier
from app.adapters.memory.api_keys import MemoryKeys
from app.adapters.mongo import MongoKeys
from app.adapters.postgres import PostgresKeys
from app.framework.security import InvalidToken
from app.framework.security.api_keys import ApiKey, KeyStore
from app.framework.storage import StorageNotReady, StorageUnavailable
from tests.contract.key_lists import listed, made


@pytest.fixture
async def open_store(url) -> AsyncIterator[Callable[[], KeyStore]]:
    """Opens the store under test; each call is as another process would open it."""
    memory = MemoryKeys()
    opened: list[PostgresKeys] = []

    def open_one() -> KeyStore:
        if url is None:
            return memory
        opened.append(PostgresKeys(url))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
def store(open_store) -> KeyStore:
    """One store."""
    return open_store()


async def test_a_key_is_stored_as_it_is_made(store):
    """Its digest and its scopes for requests, its name and times for operators."""
    key, api_key = made("users:list", "changes:read")
    assert (await listed(store)).keys == []
    details = await store.add(api_key, "A name", valid_for=timedelta(days=30))
    assert details.expires_at == details.created_at + timedelta(days=30)
    assert abs(details.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (details.id, details.name) == (api_key.id, "A name")
    assert details.scopes == ["changes:read", "users:list"]
    assert (details.revoked_at, details.last_used_at) == (None, None)
    assert (await listed(store)).keys == [replace(api_key, expires_at=details.expires_at)]
    assert await store.details() == [details]
    assert key not in repr((await listed(store), details))


async def test_revoking_is_for_good_and_can_be_repeated(store):
    """The first time counts, and such a key need not expire; an unknown id is no key."""
    _, api_key = made()
    assert (await store.add(api_key, "A name")).expires_at is None
    first = await store.revoke(api_key.id)
    assert first.revoked_at
    assert await store.revoke(api_key.id) == first
    assert (await listed(store)).keys == [replace(api_key, is_revoked=True)]
    assert await store.revoke("0000000000") is None


async def test_each_change_has_a_higher_version(open_store):
    """A process that knows the version reads nothing else."""
    store, other = open_store(), open_store()
    _, api_key = made()
    lists = [await listed(store)]
    assert await other.read(known=lists[0]) is None
    assert await other.read(known=replace(lists[0], log="another")) == lists[0]
    for change in (
        store.add(api_key, "A name"),
        store.revoke(api_key.id),
        store.revoke(api_key.id),
        store.renew(above=0),
    ):
        await change
        found = await other.read(known=lists[-1])
        assert found
        lists.append(found)
    versions = [each.version for each in lists]
    assert versions == sorted(set(versions))
    ahead = 2 * versions[-1]
    renewed = await store.renew(above=ahead)
    assert renewed == await listed(store)
    assert renewed.version > ahead


async def test_uses_are_recorded_once_a_minute(store):
    """They leave the version as it is, and unknown keys alone."""
    _, api_key = made()
    await store.add(api_key, "A name")
    known = await listed(store)
    await store.save_uses([api_key.id, "0000000000"])
    [first] = await store.details()
    assert first.last_used_at
    await store.save_uses([api_key.id])
    assert await store.details() == [first]
    assert await store.read(known=known) is None


async def test_commands_at_once_leave_all_their_changes(open_store, open_key_copy):
    """In the store and in the copy: each writes what it reads after its change."""
    copy = open_key_copy()
    keys = [made()[1] for _ in range(8)]

    async def command(api_key: ApiKey, *, revoking: bool) -> None:
        store = open_store()
        await store.add(api_key, "A name")
        if revoking:
            await store.revoke(api_key.id)
        await copy.write(await listed(store))

    await asyncio.gather(*(command(each, revoking=no % 2 > 0) for no, each in enumerate(keys)))
    expected = [replace(each, is_revoked=no % 2 > 0) for no, each in enumerate(keys)]
    assert (await listed(copy)).keys == sorted(expected, key=lambda each: each.id)
    assert await listed(copy) == await listed(open_store())


@pytest.fixture
async def administrator(postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """A session of an administrator."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def test_a_restored_list_gets_a_later_version_than_any_copy(
    postgres_url, mongodb_url, mongodb_database, administrator
):
    """The next command brings it to MongoDB, where a list of the lost time is."""
    store, copy = PostgresKeys(postgres_url), MongoKeys(mongodb_url, mongodb_database)
    backup = await administrator.fetchval("select version from api_key_list")
    _, lost = made()
    await store.add(lost, "Lost")
    await copy.write(await listed(store))
    await administrator.execute("delete from api_keys")
    await administrator.execute("update api_key_list set version = $1", backup)
    assert (await listed(store)).version < (await listed(copy)).version
    await copy.write(await store.renew(above=backup))
    assert await listed(copy) == await listed(store)
    assert (await listed(copy)).keys == []
    await store.close()
    await copy.close()


async def test_the_databases_have_nothing_to_make_a_key_of(
    postgres_url, administrator, mongodb_url, mongodb_database
):
    """Neither the key nor its secret is anywhere in them."""
    store, copy = PostgresKeys(postgres_url), MongoKeys(mongodb_url, mongodb_database)
    key, api_key = made()
    await store.add(api_key, "A name")
    await copy.write(await listed(store))
    rows = await administrator.fetch("select * from api_keys")
    async with AsyncMongoClient[Any](mongodb_url) as client:
        documents = await client[mongodb_database]["api_keys"].find().to_list()
    assert api_key.id in str(rows)
    assert api_key.id in str(documents)
    assert key.split("_")[2][:30] not in f"{rows}{documents}"
    await store.close()
    await copy.close()


async def test_a_refusal_of_postgresql_is_said(postgres_url, administrator):
    """Of a user without rights, for example: in one line."""
    store = PostgresKeys(postgres_url)
    await administrator.execute("drop table api_keys")
    with pytest.raises(StorageNotReady, match="DATABASE_URL: PostgreSQL refuses to"):
        await store.read()
    await store.close()


async def test_processes_with_either_database_refuse_a_revoked_key(
    postgres_url, mongodb_url, mongodb_database, unused_tcp_port
):
    """One with PostgreSQL, one with MongoDB, and one that has lost PostgreSQL."""
    store, copy = PostgresKeys(postgres_url), MongoKeys(mongodb_url, mongodb_database)
    gone = PostgresKeys(f"postgresql://127.0.0.1:{unused_tcp_port}/gone")
    with pytest.raises(StorageUnavailable):
        await gone.read()
    key, api_key = made("a", "b")
    await store.add(api_key, "A name")
    await copy.write(await listed(store))
    processes = [(store, None), (None, copy), (store, copy), (gone, copy)]
    for each in processes:
        assert (await KeyVerifier(*each).authenticate(key)).scopes == {"a", "b"}
    await store.revoke(api_key.id)
    await copy.write(await listed(store))
    for each in processes:
        with pytest.raises(InvalidToken, match="revoked"):
            await KeyVerifier(*each).authenticate(key)
    for source in (store, copy, gone):
        await source.close()
