"""Reads without a Consistency-Token need no primary, whatever becomes of those with one."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from app.adapters.mongo.client import DRIVER_SECONDS
from app.framework.storage import StorageUnavailable
from tests.contract.ill_treated import NOTE, PAGE, STATUS, Server, opened, running_server, timed
from tests.following import prepare, save
from tests.notes import NOTES


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A mongod of these tests' own."""
    with running_server() as server:
        yield server


@contextlib.contextmanager
def without_a_primary(url: str) -> Iterator[None]:
    """The set has but a secondary."""
    with MongoClient[Any](url, directConnection=True) as client:
        client.admin.command("replSetStepDown", 60, force=True)
        try:
            yield
        finally:
            client.admin.command("replSetFreeze", 0)
            while not client.admin.command("hello")["isWritablePrimary"]:
                time.sleep(0.02)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_plain_reads_are_served_beside_those_with_a_token(driver, server):
    """Without a primary these are refused; those are answered by a secondary, and at once."""
    database = f"test_{uuid4().hex}"
    async with opened(server.url, driver, database) as writer:
        await prepare(writer, NOTES)
        await writer.write(NOTES.id, {"n": NOTE})
        await save(writer, NOTES, STATUS)
    # Not a direct connection, which would have the secondary answer what the primary should.
    url = f"{server.url}&readPreference=secondaryPreferred".replace("directConnection=true&", "")
    async with opened(url, driver, database) as reader:
        await reader.get("notes", "n")
        with without_a_primary(server.url):
            tokens: list[Any] = [reader.get("notes", "n", at_least=1) for _ in range(50)]
            tokens += [reader.page("notes", PAGE, at_least=1) for _ in range(50)]
            refused = asyncio.gather(*map(timed, tokens))
            await asyncio.sleep(0)
            plain: list[Any] = [reader.get("notes", "n") for _ in range(50)]
            plain += [reader.page("notes", PAGE) for _ in range(50)]
            answers = await asyncio.gather(*map(timed, plain))
            outcomes = await refused
    assert not [each for each, _ in answers if isinstance(each, Exception)]
    assert max(seconds for _, seconds in answers) < DRIVER_SECONDS
    assert {type(each) for each, _ in outcomes} == {StorageUnavailable}
