"""Streams of server-sent events: their text, their pauses, their end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.framework.http.event_streams import EventStreams, TooManyStreams, one_line
from app.framework.storage import Overloaded, StorageUnavailable
from tests.unit.api.happenings import Happenings


@pytest.fixture
def source() -> Happenings:
    """A source of events."""
    return Happenings()


@pytest.fixture
def stopping() -> asyncio.Event:
    """Set when the service stops."""
    return asyncio.Event()


async def opened(source: Happenings, stopping: asyncio.Event, after: int | None = 0, **options):
    """The chunks of a new stream."""
    streams = EventStreams("things", source.look, stopping, **options)
    return (await streams.response(after)).body_iterator


async def chunk(chunks: AsyncIterator[Any]) -> str:
    """The next chunk, which is to come soon."""
    async with asyncio.timeout(5):
        return (await anext(chunks)).decode()


async def test_a_stream_tells_events_and_goes_on_after_the_last(source, stopping):
    """With the id of each; the source is asked for what comes after it."""
    source.happen((1, '{"a":1}'), (3, '{"a":2}'), reached=4)
    chunks = await opened(source, stopping)
    begin = 'retry: 1000\nid: 0\n\nid: 1\ndata: {"a":1}\n\nid: 3\ndata: {"a":2}\n\n'
    assert await chunk(chunks) == begin
    source.happen((5, "{}"))
    assert await chunk(chunks) == "id: 5\ndata: {}\n\n"
    assert source.asked == [None, 0, 4]


def test_data_are_of_one_line_whatever_breaks_lines():
    """Libraries break lines where event streams do not, as httpx does: such characters escape."""
    breaks = [chr(each) for each in range(0x11000) if len(f"a{chr(each)}b".splitlines()) > 1]
    text = json.dumps({"bio": f"é{''.join(breaks)}\\u2028"}, ensure_ascii=False)

    assert {"\x85", "\u2028", "\u2029"} < set(breaks)
    assert one_line(text).splitlines() == [one_line(text)]
    assert json.loads(one_line(text)) == json.loads(text)


async def test_a_stream_of_what_is_new_says_where_it_begins(source, stopping):
    """One who is cut off before the first event can resume from there, and misses nothing."""
    source.happen(reached=5)
    chunks = await opened(source, stopping, after=None)
    assert await chunk(chunks) == "retry: 1000\nid: 5\n\n"


async def test_a_stream_with_nothing_to_tell_says_that_it_lives(source, stopping):
    """Every so often, whatever little is looked for meanwhile, and with where it is."""
    chunks = await opened(source, stopping, heartbeat_seconds=0.2)
    await chunk(chunks)
    for after in (0, 7):
        began = time.monotonic()
        assert await chunk(chunks) == f"id: {after}\n: nothing new\n\n"
        assert 0.2 <= time.monotonic() - began < 1
        source.happen(reached=7)


async def test_a_stream_ends_when_the_service_stops(source, stopping):
    """At once, though nothing comes."""
    chunks = await opened(source, stopping)
    await chunk(chunks)
    ending = asyncio.create_task(chunk(chunks))
    await asyncio.sleep(0)
    stopping.set()
    with pytest.raises(StopAsyncIteration):
        await ending


async def test_what_the_first_look_raises_is_an_answer_and_later_the_end(source, stopping, caplog):
    """A stream that is under way can only end; its reader comes back and is told why."""
    source.fail(StorageUnavailable("Store", "gone"))
    with pytest.raises(StorageUnavailable):
        await opened(source, stopping)
    assert caplog.text == ""
    source.fail(None)
    streams = EventStreams("things", source.look, stopping)
    readers = [aiter((await streams.response(0)).body_iterator) for _ in range(10)]
    for each in readers:
        await chunk(each)
    source.fail(StorageUnavailable("Store", "gone"))
    ends = await asyncio.gather(*map(chunk, readers), return_exceptions=True)
    assert {type(each) for each in ends} == {StopAsyncIteration}
    assert [each for each in caplog.messages if "gone" in each] == caplog.messages
    assert len(caplog.messages) == 1


async def test_a_slow_reader_is_read_for_no_further_than_it_has_come(source, stopping):
    """Nothing piles up: the next events are looked for when those before are taken."""
    chunks = await opened(source, stopping)
    await chunk(chunks)
    source.happen((1, "{}"))
    assert await chunk(chunks) == "id: 1\ndata: {}\n\n"
    asked = list(source.asked)
    source.happen(*((each, "{}") for each in range(2, 50)))
    await asyncio.sleep(0.05)
    assert source.asked == asked
    assert (await chunk(chunks)).count("data") == 48


async def send_to_one_who_leaves(answer, *, at: str, stuck: bool = False) -> None:
    """Send a response to a client who leaves at the first message of the type `at`.

    If it is `stuck`, it has not taken that message before.
    """
    left = asyncio.Event()

    async def receive():
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == at:
            left.set()
            await asyncio.sleep(5 if stuck else 0)

    async with asyncio.timeout(2):
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)


async def test_there_are_so_many_streams_at_most(source, stopping):
    """However many are asked for at once."""
    streams = EventStreams("things", source.look, stopping, streams=2)
    answers = await asyncio.gather(*(streams.response(0) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in answers[2:]] == [Overloaded] * 3
    await send_to_one_who_leaves(answers[0], at="http.response.body")
    await streams.response(0)
    with pytest.raises(Overloaded):
        await streams.response(0)


async def test_one_client_leaves_room_for_others(source, stopping):
    """It has so many streams at most; one that it closes makes room for its next."""
    streams = EventStreams("things", source.look, stopping, streams_of_a_client=2)
    first = await streams.response(0, client="10.0.0.1")
    await streams.response(0, client="10.0.0.1")
    with pytest.raises(TooManyStreams, match="You follow 2 streams, as many as one client may"):
        await streams.response(0, client="10.0.0.1")
    for _ in range(2):
        await streams.response(0, client="10.0.0.2")
    await send_to_one_who_leaves(first, at="http.response.body")
    await streams.response(0, client="10.0.0.1")


async def test_an_unknown_client_is_bound_to_nothing(source, stopping):
    """It cannot be told from others."""
    streams = EventStreams("things", source.look, stopping, streams_of_a_client=1)
    await streams.response(0, client=None)
    await streams.response(0, client=None)


async def test_a_stream_that_does_not_begin_makes_room(source, stopping):
    """Whoever was refused has none."""
    streams = EventStreams("things", source.look, stopping, streams=1)
    source.fail(StorageUnavailable("Store", "gone"))
    with pytest.raises(StorageUnavailable):
        await streams.response(0)
    source.fail(None)
    await streams.response(0)


@pytest.mark.parametrize("at", ["http.response.start", "http.response.body"])
@pytest.mark.parametrize("stuck", [False, True])
async def test_a_reader_that_leaves_is_noticed(source, stopping, at, stuck):
    """Though nothing comes that could be sent, or nothing is taken: the stream makes room."""
    streams = EventStreams("things", source.look, stopping, streams=1)
    answer = await streams.response(0)
    await send_to_one_who_leaves(answer, at=at, stuck=stuck)
    assert (await streams.response(0)).status_code == 200


@pytest.mark.parametrize("is_busy", [True, False])
async def test_a_stream_ends_when_its_token_is_accepted_no_more(source, stopping, is_busy):
    """Whether there is something to send all the time or nothing."""
    accepted = True

    async def is_still_admitted() -> bool:
        return accepted

    streams = EventStreams("things", source.look, stopping, check_seconds=0.05)
    answer: Any = await streams.response(0, is_still_admitted=is_still_admitted)
    chunks = answer.body_iterator
    source.happen((1, "{}"))
    assert "id: 0" in await chunk(chunks)
    assert "id: 1" in await chunk(chunks)
    accepted = False
    for each in range(2, 10_000):
        if is_busy:
            source.happen((each, "{}"))
        async with asyncio.timeout(5):
            if await anext(chunks, None) is None:
                return
    pytest.fail("It goes on.")
