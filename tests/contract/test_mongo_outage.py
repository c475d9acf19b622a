"""MongoDB frozen, stopped or never there: callers hear of it within 5 s, and it heals by itself."""

import asyncio
import itertools
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from app.adapters.mongo import MongoReadModel
from app.framework.projections import Build, Entry, Lease, TakeOver
from app.framework.storage import StorageNotReady, StorageUnavailable
from tests.contract.ill_treated import NOTE, PAGE, STATUS, Server, opened, running_server, timed
from tests.following import prepare
from tests.notes import NOTES, notes

PROMISED_SECONDS = 5.0

LEASE = Lease(NOTES.id, "tests", epoch=1)
OTHERS = notes(name="others")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A mongod of these tests' own."""
    with running_server() as server:
        yield server


@pytest.fixture
async def read_models(server) -> AsyncIterator[list[MongoReadModel]]:
    """One by each driver, that has been in use: an outage takes too long to try them in turn."""
    async with opened(server.url, "motor") as one, opened(server.url, "pymongo") as other:
        for each in (one, other):
            await prepare(each, NOTES)
            await each.write(NOTES.id, {"n": NOTE})
            await each.get("notes", "n")
        yield [one, other]


def every_call(read_model: MongoReadModel) -> list[Awaitable[object]]:
    """A call of every kind."""
    return [
        read_model.check(),
        read_model.prepare(NOTES.id, NOTES.indexes),
        read_model.load(NOTES.id, ["n"]),
        read_model.count(NOTES.id, up_to=1),
        read_model.write(NOTES.id, {"n": NOTE}),
        read_model.scan(NOTES.id, after="", limit=10),
        read_model.projections(),
        read_model.begin(NOTES, take_over=TakeOver.ON_REQUEST, known=1),
        read_model.acquire(Build(OTHERS, OTHERS.id), "tests"),
        read_model.renew([LEASE]),
        read_model.release(Lease(NOTES.id, "other", epoch=9)),
        read_model.save(LEASE, STATUS),
        read_model.note(LEASE, has_caught_up=True),
        read_model.switch("notes", serving=None, to=NOTES.id),
        read_model.pause("notes", paused=False),
        read_model.retire("notes", NOTES.id),
        read_model.get("notes", "n"),
        read_model.page("notes", PAGE),
    ]


def busy(read_model: MongoReadModel) -> list[Awaitable[object]]:
    """As many reads as a busy service has under way."""
    return [
        *(read_model.get("notes", f"n{each}") for each in range(500)),
        *(read_model.page("notes", PAGE) for _ in range(100)),
    ]


async def assert_unavailable(read_model: MongoReadModel) -> None:
    """Every call is refused within the time that is promised, however many there are."""
    answers = await asyncio.gather(
        *(timed(each) for each in (*every_call(read_model), *busy(read_model)))
    )
    assert {type(error) for error, _ in answers} == {StorageUnavailable}
    assert max(seconds for _, seconds in answers) < PROMISED_SECONDS


async def assert_heals(read_model: MongoReadModel) -> None:
    """The same client serves again, soon, and nothing acknowledged is lost."""
    async with asyncio.timeout(15):
        while await fails(read_model.check):
            pass
    await asyncio.gather(*every_call(read_model), *busy(read_model))
    assert await read_model.get("notes", "n") == Entry("n", NOTE.document or {}, 1)
    await read_model.write(NOTES.id, {"m": NOTE})
    assert await read_model.get("notes", "m") == Entry("m", NOTE.document or {}, 1)


async def each_of(
    read_models: list[MongoReadModel], check: Callable[[MongoReadModel], Awaitable[None]]
) -> None:
    """Check all of them at once."""
    await asyncio.gather(*(check(each) for each in read_models))


async def fails(call: Callable[[], Awaitable[object]]) -> bool:
    """Whether the storage is unavailable."""
    try:
        await call()
    except StorageUnavailable:
        return True
    return False


async def test_a_frozen_mongodb(read_models, server):
    """It accepts connections and says nothing: twice, since the client knows it the second time."""
    server.signal(signal.SIGSTOP)
    try:
        await each_of(read_models, assert_unavailable)
        await each_of(read_models, assert_unavailable)
    finally:
        server.signal(signal.SIGCONT)
    await each_of(read_models, assert_heals)


async def test_a_stopped_mongodb(read_models, server):
    """Nothing listens at its address until it is started again."""
    await asyncio.to_thread(server.stop)
    try:
        await each_of(read_models, assert_unavailable)
    finally:
        await asyncio.to_thread(server.start)
    await each_of(read_models, assert_heals)


async def test_a_mongodb_that_stops_amid_writes(read_models, server):
    """Every write is acknowledged or raises StorageUnavailable; none that was is lost."""
    acknowledged: dict[Any, set[str]] = {each: set() for each in read_models}

    async def write(read_model: MongoReadModel, number: int) -> None:
        for each in itertools.count(number, 4):
            key = f"w{each}"
            await read_model.write(NOTES.id, {key: NOTE}, created=[key] if each % 2 else ())
            acknowledged[read_model].add(key)

    writers = [
        asyncio.create_task(write(each, number)) for each in read_models for number in range(4)
    ]
    async with asyncio.timeout(10):
        while min(map(len, acknowledged.values())) < 50:  # noqa: ASYNC110 - answers of a server
            await asyncio.sleep(0.001)
    await asyncio.to_thread(server.stop)
    try:
        outcomes = await asyncio.gather(*writers, return_exceptions=True)
    finally:
        await asyncio.to_thread(server.start)
    assert {type(each) for each in outcomes} == {StorageUnavailable}
    await each_of(read_models, assert_heals)
    for read_model, keys in acknowledged.items():
        assert keys <= (await read_model.load(NOTES.id, keys)).keys()


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_mongodb_that_was_never_there(driver):
    """Making a read model asks nothing of it; the first call says that it cannot be reached.

    Where it was looked for is for the log only.
    """
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with opened(f"mongodb://127.0.0.1:{port}", driver) as read_model:
        error, seconds = await timed(read_model.check())
    assert isinstance(error, StorageUnavailable)
    assert error.summary == "MongoDB is unavailable: it cannot be reached"
    assert str(error).startswith(f"{error.summary} (127.0.0.1:{port}: ")
    assert error.__cause__ is not None
    assert seconds < PROMISED_SECONDS


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_the_url_has_the_last_word(driver):
    """Options that it gives are not overridden."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"mongodb://127.0.0.1:{port}/?TIMEOUTms=50&directConnection=true"
        async with opened(url, driver) as read_model:
            _, seconds = await timed(read_model.check())
        assert seconds < 1


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_credentials_that_are_refused(driver, server):
    """A check names the variable to put right; to others it is an outage until that is done."""
    async with opened(server.url.replace("://", "://somebody:guess@"), driver) as read_model:
        checked, _ = await timed(read_model.check())
        error, _ = await timed(read_model.get("notes", "n"))
    assert isinstance(checked, StorageNotReady)
    assert str(checked) == "MONGODB_URL: MongoDB cannot be used: Authentication failed."
    assert isinstance(error, StorageUnavailable)
    assert "Authentication failed" in str(error)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_mongodb_that_refuses_to_be_read(driver, server):
    """Whatever the reason, a check says it in one line that names the variable."""
    async with opened(f"{server.url}&readConcernLevel=psychic", driver) as read_model:
        checked, _ = await timed(read_model.check())
    assert isinstance(checked, StorageNotReady)
    [line] = str(checked).splitlines()
    assert line.startswith("MONGODB_URL: MongoDB cannot be used: ")
    assert "readConcern" in line


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_closed_read_model_refuses(driver, server):
    """Every call, with the words of an outage; closing again is no error."""
    async with opened(server.url, driver) as read_model:
        await read_model.check()
        await read_model.close()
        answers = [await timed(each) for each in every_call(read_model)]
    assert {type(error) for error, _ in answers} == {StorageUnavailable}
