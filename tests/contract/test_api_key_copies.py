"""Copies of the list of API keys in the read model: of which log, and which version is kept."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from app.framework.security.api_keys import NO_LIST, ApiKey, KeyCopy, KeyList
from app.framework.storage import StorageNotReady
from tests.contract.key_lists import listed

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

LIST = KeyList(
    log="a log",
    version=7,
    keys=[
        ApiKey(id="0123456789", digest=b"\0" * 32, scopes=frozenset({"$a", "b"}), expires_at=NOW),
        ApiKey(id="abcdefghij", digest=b"\xff" * 32, scopes=frozenset({"b"}), is_revoked=True),
    ],
)


@pytest.fixture
def copy(open_key_copy) -> KeyCopy:
    """One copy."""
    return open_key_copy()


@pytest.fixture
def name_log(key_copy_kind, copy, request) -> Callable[[str], Awaitable[None]]:
    """Has the read model name a log as its own, as a projector does."""

    async def name(log: str) -> None:
        if key_copy_kind == "memory":
            copy.log = log
            return
        url, database = map(request.getfixturevalue, ("mongodb_url", "mongodb_database"))
        async with AsyncMongoClient[Any](url) as client:
            of_log = client[database]["log"]
            await of_log.replace_one({"_id": "identity"}, {"value": log}, upsert=True)

    return name


async def test_a_copy_has_what_was_written(open_key_copy):
    """All of it, in another process too; before that there is no list."""
    copy, other = open_key_copy(), open_key_copy()
    assert await copy.read() == NO_LIST
    assert await copy.read(known=LIST) == NO_LIST
    await copy.write(LIST)
    assert await other.read() == LIST
    assert await other.read(known=replace(LIST, version=6)) == LIST
    assert await other.read(known=LIST) is None


async def test_an_older_list_never_replaces_a_newer(open_key_copy):
    """In no order of two writers, at once or one after the other."""
    copies = [open_key_copy(), open_key_copy()]
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


async def test_two_first_writers_at_once_agree(open_key_copy):
    """Neither fails as the other was first."""
    writers = [open_key_copy() for _ in range(8)]
    writes = (each.write(replace(LIST, version=no)) for no, each in enumerate(writers))
    await asyncio.gather(*writes)
    assert await writers[0].read() == replace(LIST, version=7)


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
