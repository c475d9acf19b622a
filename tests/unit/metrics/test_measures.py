"""What is counted where work is done."""

import asyncio
import gc

import pytest

from app.adapters.batcher import Batcher
from app.adapters.memory.read_model import MemoryReadModel
from app.adapters.mongo.page_reads import PageReads
from app.framework.eventsourcing.turns import Turns
from app.framework.http.event_streams import EventStreams, TooManyStreams, _EndingResponse
from app.framework.observability.metrics import runtime
from app.framework.observability.metrics.runtime import keep_measuring
from app.framework.storage import Overloaded, StorageUnavailable
from tests.following import QUICK, catch_up, until
from tests.notes import NOTES, new_log, write_notes
from tests.unit.api.happenings import Happenings
from tests.unit.metrics.reading import Since
from tests.unit.projecting.test_outages import Outage


@pytest.fixture
def since() -> Since:
    """By how much metrics have grown since the test began."""
    return Since()


async def doubled(items):
    """What a call answers."""
    return [2 * each for each in items]


def batcher(call=doubled) -> Batcher[int, int]:
    """A queue of up to four, two of which go out together."""
    return Batcher("tests", call, storage="tests", largest=2, max_queued=4)


async def test_batches_are_measured(since):
    """Their sizes, how long the first item waited, how long the call took."""
    queue = batcher()
    assert await asyncio.gather(*(queue.submit(each) for each in (1, 2, 3))) == [2, 4, 6]

    assert since("diptych_batch_size_count", queue="tests") == 2
    assert since("diptych_batch_size_sum", queue="tests") == 3
    assert since("diptych_batch_wait_seconds_count", queue="tests") == 2
    assert since("diptych_batch_call_seconds_count", queue="tests") == 2
    assert since("diptych_queue_length", queue="tests") == 0


async def test_what_waits_and_what_is_refused_is_counted(since):
    """The fifth finds the queue full."""
    queue = batcher()
    waiting = [queue.submit(each) for each in range(4)]
    assert since("diptych_queue_length", queue="tests") == 4
    with pytest.raises(Overloaded):
        queue.submit(5)
    assert since("diptych_queue_refusals_total", queue="tests") == 1

    waiting[0].cancel()  # its place is given to the next
    waiting.append(queue.submit(5))
    assert since("diptych_queue_length", queue="tests") == 4
    await asyncio.gather(*waiting[1:])
    assert since("diptych_queue_length", queue="tests") == 0


async def test_what_an_outage_ends_waits_no_more(since):
    """All that wait fail with the first."""

    async def fail(_):
        raise StorageUnavailable("tests", "gone")

    queue = batcher(fail)
    waiting = [queue.submit(each) for each in range(4)]
    await asyncio.gather(*waiting, return_exceptions=True)

    assert since("diptych_queue_length", queue="tests") == 0


async def test_reads_of_pages_are_measured(since):
    """One read for equal requests; the others wait."""

    async def read(_):
        return []

    pages = PageReads[str]("tests of pages", read, at_once=1, max_queued=1)
    reading = [asyncio.create_task(pages.read(each)) for each in ("a", "a", "b")]
    await asyncio.sleep(0)
    assert since("diptych_queue_length", queue="tests of pages") == 1
    with pytest.raises(Overloaded):
        await pages.read("c")
    await asyncio.gather(*reading)

    assert since("diptych_queue_length", queue="tests of pages") == 0
    assert since("diptych_queue_refusals_total", queue="tests of pages") == 1
    assert since("diptych_batch_size_sum", queue="tests of pages") == 3


async def test_commands_that_found_too_many_for_one_aggregate_are_counted(since):
    """Without the id of the aggregate, which would be a label for each."""
    turns = Turns(1)
    async with turns.turn("user-1"):
        with pytest.raises(Overloaded):
            turns.turn("user-1")

    assert since("diptych_queue_refusals_total", queue="commands on one aggregate") == 1


async def test_what_a_projector_does_is_measured(since):
    """How many events, in which batches, how old they were; what failed on the way."""
    log, outage = new_log(), Outage(MemoryReadModel())
    await write_notes(log, *"abcdef")
    outage.left = 3
    await catch_up(log, outage.store, NOTES)

    assert since("diptych_projected_events_total", projection="notes") == 7
    batches = -(-7 // QUICK.batch)
    assert since("diptych_projection_batch_seconds_count", projection="notes") >= batches
    assert since("diptych_projection_delay_seconds_count", projection="notes") >= batches
    assert since("diptych_projection_failures_total", projection="notes", kind="outage") > 0
    assert since("diptych_projection_failures_total", projection="notes", kind="refusal") == 0


async def test_streams_are_counted_while_they_are_open(since):
    """And those that are one too many, for the process or for one client."""
    bounds = {"streams": 2, "streams_of_a_client": 1}
    streams = EventStreams("tests", Happenings().look, asyncio.Event(), **bounds)
    first = await streams.response(0, client="a")
    with pytest.raises(TooManyStreams):
        await streams.response(0, client="a")
    await streams.response(0, client="b")
    with pytest.raises(Overloaded):
        await streams.response(0, client="c")

    assert since("diptych_streams_open", stream="tests") == 2
    assert since("diptych_stream_refusals_total", stream="tests", bound="client") == 1
    assert since("diptych_stream_refusals_total", stream="tests", bound="process") == 1
    assert isinstance(first, _EndingResponse)
    first._at_end()
    assert since("diptych_streams_open", stream="tests") == 1


async def test_a_process_measures_itself(since, monkeypatch):
    """How late its event loop is, and how long it collects garbage."""
    monkeypatch.setattr(runtime, "LOOK_SECONDS", 0.001)
    looks = runtime._LATE.of()
    before = sum(looks.counts)
    measuring = asyncio.create_task(keep_measuring())
    await until(lambda: sum(looks.counts) >= before + 3)
    assert since("diptych_event_loop_delay_seconds_count") >= 3
    gc.collect()
    measuring.cancel()
    await asyncio.wait([measuring])

    assert since("diptych_gc_pause_seconds_count") >= 1
    assert since("python_gc_collections_total", generation="2") >= 1
    assert not [each for each in gc.callbacks if isinstance(each, runtime._Collector)]
