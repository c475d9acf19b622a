"""What many readers are sent is looked for and encoded once, and requests do not wait for them."""

import asyncio
import random
import time
from collections import Counter

import pytest

from app.framework.http.broadcast import Broadcast, Part
from app.framework.http.event_streams import EventStreams
from app.framework.http.wakeups import SHARE, SLICE, Wakeups
from app.framework.request import NO_CONTEXT
from tests.unit.api.happenings import Happenings

READERS = 1000
SOON = 10.0


@pytest.fixture
def source() -> Happenings:
    """A source of events."""
    return Happenings()


@pytest.fixture
def stopping() -> asyncio.Event:
    """Set when the service stops."""
    return asyncio.Event()


async def ids_of(streams: EventStreams, after: int, last: int) -> list[int]:
    """The ids of the events that a reader is told from `after` on, until the one of `last`."""
    ids: list[int] = []
    async for chunk in (await streams.response(after)).body_iterator:
        assert isinstance(chunk, bytes)
        blocks = chunk.split(b"\n\n")
        ids += [int(each.split()[1]) for each in blocks if b"\ndata: " in each]
        if ids and ids[-1] >= last:
            break
    return ids


async def test_what_all_are_sent_is_looked_for_once(source, stopping):
    """Readers that have everything share each look for what comes, and the text of it."""
    streams = EventStreams("things", source.look, stopping)
    async with asyncio.timeout(SOON):
        responses = await asyncio.gather(*(streams.response(0) for _ in range(READERS)))
        readers = [aiter(each.body_iterator) for each in responses]
        await asyncio.gather(*map(anext, readers))
        source.asked.clear()
        reading = asyncio.gather(*map(anext, readers))
        await asyncio.sleep(0.01)
        source.happen((1, "{}"), (2, "{}"))
        chunks = await reading
    assert {id(each) for each in chunks} == {id(chunks[0])}
    assert chunks[0] == b"id: 1\ndata: {}\n\nid: 2\ndata: {}\n\n"
    assert len(source.asked) <= 2


async def test_readers_that_come_back_share_what_they_missed(source, stopping):
    """Each from another id: every event is looked for a few times, not by each."""
    source.happen(*((each, f'{{"a":{each}}}') for each in range(1, 1001)))
    streams = EventStreams("things", source.look, stopping)
    places = range(0, 1000, 5)
    async with asyncio.timeout(SOON):
        told = await asyncio.gather(*(ids_of(streams, each, 1000) for each in places))
    assert told == [list(range(each + 1, 1001)) for each in places]
    assert len(source.asked) < 15


async def test_requests_do_not_wait_for_all_readers(source, stopping):
    """Few are sent something in a turn of the event loop, whether they come back or stayed."""
    source.happen(*((each, "{}") for each in range(1, 501)))
    streams = EventStreams("things", source.look, stopping)
    turn = Turn()
    sent: Counter[int] = Counter()

    async def follow() -> None:
        last = b""
        async for chunk in (await streams.response(0)).body_iterator:
            sent[turn.number] += 1
            assert isinstance(chunk, bytes)
            last = chunk.rpartition(b"id: ")[2] or last
            if last.startswith(b"502\n"):
                return

    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        for _ in range(300):
            group.create_task(follow())
        while sent.total() < 900:  # noqa: ASYNC110 - until all have come as far
            await asyncio.sleep(0.01)
        source.happen((501, "{}"), (502, "{}"))
    assert sent.total() == 4 * 300
    assert max(sent.values()) <= 50


class Turn:
    """Counts the turns of the event loop."""

    def __init__(self) -> None:
        self.number = 0
        self._count()

    def _count(self) -> None:
        self.number += 1
        asyncio.get_running_loop().call_soon(self._count)


async def test_a_slice_continues_at_a_time_and_then_rests():
    """All continue, in their order, with pauses that leave the others most of the time."""
    wakeups = Wakeups()
    went: list[int] = []

    async def go(number: int) -> None:
        await wakeups.wait()
        went.append(number)
        time.sleep(0.0005)  # noqa: ASYNC251 - it is work

    began = time.perf_counter()
    count = 3 * SLICE
    await asyncio.gather(*(go(each) for each in range(count)))
    assert went == list(range(count))
    # After the last slice nothing waits.
    assert time.perf_counter() - began > 0.0005 * (count + 2 * SLICE * (1 / SHARE - 1))
    await wakeups.all_woken()


async def test_a_task_that_was_cancelled_holds_up_no_other():
    """It takes no place in a slice."""
    wakeups = Wakeups()
    waiting = [asyncio.create_task(wakeups.wait()) for _ in range(2 * SLICE)]
    await asyncio.sleep(0)
    for each in waiting[:-1]:
        each.cancel()
    async with asyncio.timeout(SOON):
        await waiting[-1]
        await wakeups.all_woken()


def test_a_part_has_what_is_past_an_id():
    """All of it is one object, whoever is sent it."""
    source = Happenings()
    source.happen((3, "a"), (5, "b"), (9, "c"), reached=12)
    part = Part(2, asyncio.run(source.look(2, 0, NO_CONTEXT)))
    assert part.last_id == 12
    assert part.past(2) is part.past(0)
    assert part.past(3) == part.past(4) == b"id: 5\ndata: b\n\nid: 9\ndata: c\n\n"
    assert part.past(9) == b""


@pytest.mark.parametrize("seed", range(10))
async def test_each_is_told_of_everything_once_in_order(source, stopping, monkeypatch, seed):
    """Wherever it begins, however fast it reads, and whatever is kept of what was sent."""
    chance = random.Random(seed)
    monkeypatch.setattr("app.framework.http.broadcast.KEPT_BYTES", chance.choice([1, 5000, 10**6]))
    streams = EventStreams("things", source.look, stopping, heartbeat_seconds=0.05)
    # Others have events as well: ids are missing, and the end may lie past the last.
    every = [each for each in range(1, 1200) if chance.random() < 0.7]

    async def happen() -> None:
        left = list(every)
        while left:
            some = [left.pop(0) for _ in range(min(len(left), chance.choice([1, 2, 50, 300])))]
            source.happen(*((each, "{}") for each in some), reached=some[-1])
            await asyncio.sleep(chance.choice([0, 0.001, 0.01]))

    async def follow() -> None:
        after = 0
        while after < every[-1]:
            last = min(after + chance.randrange(1, 400), every[-1])
            for told in await ids_of(streams, after, last):
                assert told == next(each for each in every if each > after)
                after = told
            await asyncio.sleep(chance.choice([0, 0.002, 0.02]))

    async with asyncio.timeout(SOON):
        happening = asyncio.create_task(happen())
        while not source.asked:
            await streams.response(0)
        await asyncio.gather(happening, *(follow() for _ in range(20)))


async def test_a_reader_ahead_of_all_waits_for_nobody(source, stopping):
    """It is looked for what it asks for, which says that it is ahead."""
    source.happen((1, "{}"))
    broadcast = Broadcast("things", source.look, stopping)
    await broadcast.first(0)
    await broadcast.first(9)
    assert source.asked[-2:] == [None, 9]
