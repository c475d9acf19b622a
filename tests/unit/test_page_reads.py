"""Pages are read some at a time, shared while they wait, and not for callers that have left."""

import asyncio
import contextlib
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from app.adapters.mongo.page_reads import PageReads
from app.framework.projections import Entry
from app.framework.storage import Overloaded, StorageTimeout, StorageUnavailable

SOON = 5.0


class Database:
    """Reads that wait to be told how they end."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.cancelled: list[str] = []
        self._ends: dict[str, asyncio.Future[Any]] = {}
        self._changed = asyncio.Condition()

    async def read(self, wanted: str) -> list[Entry]:
        """The read that is given to PageReads."""
        self.began.append(wanted)
        end = self._ends[wanted] = asyncio.get_running_loop().create_future()
        await self._notify()
        try:
            await end
        except asyncio.CancelledError:
            self.cancelled.append(wanted)
            await self._notify()
            raise
        return [Entry(wanted, {"tags": [], "at": datetime(2026, 1, 1, tzinfo=UTC)}, 1)]

    async def until(self, condition) -> None:
        """Return once `condition` holds."""
        async with asyncio.timeout(SOON), self._changed:
            await self._changed.wait_for(condition)

    def end(self, wanted: str, error: Exception | None = None) -> None:
        """Have the read that is under way end."""
        if error is None:
            self._ends[wanted].set_result(None)
        else:
            self._ends[wanted].set_exception(error)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@pytest.fixture
def database() -> Database:
    """What is read."""
    return Database()


@pytest.fixture
async def pages(database):
    """Two reads at once, three in the queue."""
    return PageReads[str]("pages", database.read, at_once=2, max_queued=3)


def asking(pages: PageReads[str], *wanted: str) -> list[asyncio.Task[Any]]:
    """A caller for each page, in this order."""
    return [asyncio.create_task(pages.read(each)) for each in wanted]


async def leave(*callers: asyncio.Task[Any]) -> None:
    """Have callers give up."""
    for each in callers:
        each.cancel()
    await asyncio.wait(callers)


async def keys(caller: asyncio.Task[Any]) -> list[str]:
    """What a caller is given."""
    async with asyncio.timeout(SOON):
        return [each.key for each in await caller]


async def test_reads_whose_callers_have_left_are_dropped_from_the_queue(pages, database):
    """The next one is read as soon as there is room, and the others never are."""
    first = asking(pages, "a", "b")
    await database.until(lambda: len(database.began) == 2)
    left = asking(pages, "c", "d", "e")
    await asyncio.sleep(0)
    await leave(*left)
    [stays] = asking(pages, "f")
    database.end("a")
    await database.until(lambda: len(database.began) == 3)
    database.end("f")
    assert await keys(stays) == ["f"]
    database.end("b")
    assert [await keys(each) for each in first] == [["a"], ["b"]]
    assert database.began == ["a", "b", "f"]


async def test_a_read_under_way_is_cancelled_once_its_last_caller_has_left(pages, database):
    """Not before; and its place is another's then."""
    one, other = asking(pages, "a", "a")
    [hidden] = asking(pages, "b")
    await database.until(lambda: len(database.began) == 2)
    waiting, *_ = asking(pages, "c")
    await leave(one)
    assert database.cancelled == []
    await leave(other)
    await database.until(lambda: database.began == ["a", "b", "c"])
    assert database.cancelled == ["a"]
    database.end("c")
    assert await keys(waiting) == ["c"]
    await leave(hidden)


async def test_one_who_leaves_before_the_read_begins_keeps_no_place(pages, database):
    """A task that is cancelled before its first step runs nothing of its own."""
    for _ in range(10):
        caller = asyncio.ensure_future(pages.read("a"))
        await asyncio.sleep(0)
        await leave(caller)
    [last] = asking(pages, "z")
    await database.until(lambda: "z" in database.began)
    database.end("z")
    assert await keys(last) == ["z"]
    await pages.close()


async def test_callers_share_a_read_that_has_not_begun(pages, database):
    """One that has begun may not see what the next caller has written."""
    callers = asking(pages, "a", "a", "a")
    await database.until(lambda: database.began == ["a"])
    later = asking(pages, "a")
    await database.until(lambda: database.began == ["a", "a"])
    database.end("a")
    assert await keys(later[0]) == ["a"]
    await leave(*callers)


async def test_too_many_reads_are_refused(pages, database):
    """Those before it are served."""
    accepted = asking(pages, *"abcde")
    await database.until(lambda: len(database.began) == 2)
    with pytest.raises(Overloaded, match=r"The queue of pages is full \(3 waiting\)\."):
        await pages.read("f")
    for number, each in enumerate("abcde"):
        await database.until(lambda number=number: len(database.began) > number)
        database.end(each)
    assert [await keys(each) for each in accepted] == [[each] for each in "abcde"]


async def test_a_read_that_takes_too_long_fails_alone(pages, database):
    """Those behind it are read: the storage is there."""
    slow, also, behind = asking(pages, *"abc")
    await database.until(lambda: len(database.began) == 2)
    database.end("a", StorageTimeout("Store", "too long"))
    with pytest.raises(StorageTimeout):
        await slow
    await database.until(lambda: len(database.began) == 3)
    database.end("c")
    database.end("b")
    assert [await keys(each) for each in (also, behind)] == [["b"], ["c"]]


async def test_unavailable_storage_fails_those_who_wait_too(pages, database):
    """Nobody waits for one time-out after another."""
    callers = asking(pages, *"abcd")
    await database.until(lambda: len(database.began) == 2)
    database.end("a", StorageUnavailable("Store", "gone"))
    database.end("b", StorageUnavailable("Store", "gone"))
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StorageUnavailable] * 4
    assert database.began == ["a", "b"]


async def test_closing_answers_what_was_accepted_and_refuses_the_rest(pages, database):
    """Pages under way and waiting are answered before `close` returns."""
    accepted = asking(pages, *"abc")
    await database.until(lambda: len(database.began) == 2)
    closing = asyncio.create_task(pages.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable, match="the process is stopping"):
        await pages.read("z")
    for number, each in enumerate("abc"):
        await database.until(lambda number=number: len(database.began) > number)
        assert not closing.done()
        database.end(each)
    async with asyncio.timeout(SOON):
        await closing
    assert [await keys(each) for each in accepted] == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize("seed", range(20))
async def test_no_caller_is_lost(seed):
    """Whatever the interleaving of calls, failures and departures, each is answered its own."""
    chance = random.Random(seed)
    under_way = 0

    async def read(wanted: str) -> list[Entry]:
        nonlocal under_way
        under_way += 1
        assert under_way <= 3
        try:
            for _ in range(chance.randint(0, 3)):
                await asyncio.sleep(0)
        finally:
            under_way -= 1
        match chance.randint(0, 9):
            case 0:
                raise StorageUnavailable("Store", "gone")
            case 1:
                raise StorageTimeout("Store", "too long")
            case 2:
                raise ValueError("no")
        return [Entry(wanted, {}, 1)]

    pages = PageReads[str]("pages", read, at_once=3, max_queued=8)

    async def client() -> None:
        for _ in range(20):
            wanted = chance.choice("abcdef")
            with contextlib.suppress(Overloaded, StorageUnavailable, ValueError, TimeoutError):
                async with asyncio.timeout(0 if chance.random() < 0.2 else None):
                    [entry] = await pages.read(wanted)
                    assert entry.key == wanted
            if chance.random() < 0.5:
                await asyncio.sleep(0)

    async with asyncio.timeout(SOON):
        await asyncio.gather(*(client() for _ in range(12)))
        await pages.close()
