"""API keys: the list in PostgreSQL, its copy in MongoDB, and two commands at once."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from pymongo import AsyncMongoClient

from app.adapters.identity import KeyVerifier, digest_of, id_of, new_key
from app.adapters.memory.api_keys import MemoryKeyCopy, MemoryKeys
from app.adapters.mongo import MongoKeys
from app.adapters.postgres import PostgresKeys
from app.framework.security import InvalidToken
from app.framework.security.api_keys import NO_LIST, ApiKey, KeyCopy, KeyList, KeyStore
from app.framework.storage import StorageNotReady, StorageUnavailable

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

LIST = KeyList(
    log="a log",
    version=7,
    keys=[
        ApiKey(id="0123456789", digest=b"\0" * 32, scopes=frozenset({"$a", "b"}), expires_at=NOW),
        ApiKey(id="abcdefghij", digest=b"\xff" * 32, scopes=frozenset({"b"}), is_revoked=True),
    ],
)


def made(*scopes: str) -> tuple[str, ApiKey]:
    """A new key, and what is stored of it."""
    key = new_key()
    return key, ApiKey(id=id_of(key), digest=digest_of(key), scopes=frozenset(scopes or ("a",)))


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


@pytest.fixture(params=["memory", "mongo"])
def kind(request) -> str:
    """Where the copy is."""
    return str(request.param)


@pytest.fixture
async def open_copy(kind, request) -> AsyncIterator[Callable[[], KeyCopy]]:
    """Opens the copy under test; each call is as another process would open it."""
    memory = MemoryKeyCopy()
    opened: list[MongoKeys] = []

    def open_one() -> KeyCopy:
        if kind == "memory":
            return memory
        url = request.getfixturevalue("mongodb_url")
        opened.append(MongoKeys(url, request.getfixturevalue("mongodb_database")))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
def copy(open_copy) -> KeyCopy:
    """One copy."""
    return open_copy()


@pytest.fixture
def name_log(kind, copy, request) -> Callable[[str], Awaitable[None]]:
    """Has the read model name a log as its own, as a projector does."""

    async def name(log: str) -> None:
        if kind == "memory":
            copy.log = log
            return
        url, database = map(request.getfixturevalue, ("mongodb_url", "mongodb_database"))
        async with AsyncMongoClient[Any](url) as client:
            of_log = client[database]["log"]
            await of_log.replace_one({"_id": "identity"}, {"value": log}, upsert=True)

    return name


async def listed(source: KeyStore | KeyCopy) -> KeyList:
    """All of the list."""
    found = await source.read()
    assert found
    return found


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


async def test_a_copy_has_what_was_written(open_copy):
    """All of it, in another process too; before that there is no list."""
    copy, other = open_copy(), open_copy()
    assert await copy.read() == NO_LIST
    assert await copy.read(known=LIST) == NO_LIST
    await copy.write(LIST)
    assert await other.read() == LIST
    assert await other.read(known=replace(LIST, version=6)) == LIST
    assert await other.read(known=LIST) is None


async def test_an_older_list_never_replaces_a_newer(open_copy):
    """In no order of two writers, at once or one after the other."""
    copies = [open_copy(), open_copy()]
    lists = [replace(LIST, version=version, keys=LIST.keys[:1]) for version in range(5)]
    for first, second in itertools.pairwise(lists):
        await copies[0].write(second)
        await copies[1].write(first)
        assert await copies[0].read() == second
    await copies[0].write(replace(lists[-1], keys=[]))
    assert await copies[1].read() == lists[-1], "of one version there is one list"
    further = [replace(LIST, version=version) for version in range(5, 30)]
    writes = (copies[each.version % 2].write(each) for each in reversed(further))
    await asyncio.gather(*writes)
    assert await copies[0].read() == further[-1]


async def test_two_first_writers_at_once_agree(open_copy):
    """Neither fails as the other was first."""
    writers = [open_copy() for _ in range(8)]
    writes = (each.write(replace(LIST, version=no)) for no, each in enumerate(writers))
    await asyncio.gather(*writes)
    assert await writers[0].read() == replace(LIST, version=7)


async def test_commands_at_once_leave_all_their_changes(open_store, open_copy):
    """In the store and in the copy: each writes what it reads after its change."""
    copy = open_copy()
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


async def test_keys_of_one_log_are_not_written_to_the_read_model_of_another(copy, name_log):
    """A mistaken MONGODB_URL would let them in elsewhere."""
    await name_log("another")
    with pytest.raises(StorageNotReady, match="is of log another, but"):
        await copy.write(LIST)
    assert await copy.read() == NO_LIST
    await name_log(LIST.log)
    await copy.write(LIST)
    assert await copy.read() == LIST


async def test_a_list_of_another_log_than_the_read_model_is_none(copy, name_log):
    """Neither at first nor to a process that knows it, of whatever version it is."""
    await copy.write(LIST)
    await name_log("another")
    for known in (None, LIST):
        assert await copy.read(known=known) == NO_LIST
    own = replace(LIST, log="another", version=LIST.version - 1)
    await copy.write(own)
    assert await copy.read() == own


async def test_a_list_of_another_log_does_not_stay(copy):
    """Its version says nothing about this one's; a process that knows either notices."""
    other = replace(LIST, log="another", keys=LIST.keys[:1])
    for version in (LIST.version, LIST.version + 1):
        await copy.write(replace(other, version=version))
        assert (await listed(copy)).log == "another"
        await copy.write(LIST)
        assert await copy.read(known=replace(other, version=LIST.version)) == LIST


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
