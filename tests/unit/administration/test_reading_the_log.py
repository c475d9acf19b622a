"""Operators read the log, and streams."""

from typing import Any

import pytest

from app.framework.administration import LoggedEvent, ReadLog, ReadStream
from app.framework.administration.read_log import READ_AT_ONCE, READS
from app.framework.projections import InvalidCursor
from tests.notes import NoteAdded, NoteErased, NoteRead, NoteWritten, append
from tests.unit.administration.desk import Desk


async def all_pages(desk: Desk, kind: type, limit: int, **asked: Any) -> list[LoggedEvent]:
    """The events of all pages, each of which has what it can."""
    found: list[LoggedEvent] = []
    cursor = None
    while True:
        page = await desk.send(kind(limit=limit, cursor=cursor, **asked))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.items) == limit


@pytest.fixture
async def desk() -> Desk:
    """A log of two notes."""
    desk = Desk()
    await append(desk.log, "a", NoteWritten("x"), NoteAdded("y"))
    await append(desk.log, "b", NoteWritten("z"), NoteErased())
    await append(desk.log, "a", NoteRead(), NoteAdded("w"))
    return desk


async def test_an_event_is_shown_as_it_is_recorded(desk):
    """With its places, its type, its data and where it comes from."""
    first, *_ = (await desk.send(ReadLog(after=1))).items
    [recorded] = await desk.log.read(after=1, limit=1)
    assert (first.position, first.stream_id, first.version) == (2, "note-a", 2)
    assert (first.type, first.schema_version, first.data) == ("NoteAdded", 1, {"text": "y"})
    assert (first.recorded_at, first.metadata) == (recorded.recorded_at, recorded.metadata)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 7])
async def test_the_log_is_read_in_pages(desk, limit):
    """In its order, to its end."""
    found = await all_pages(desk, ReadLog, limit)
    assert [each.position for each in found] == [1, 2, 3, 4, 5, 6]
    found = await all_pages(desk, ReadLog, limit, after=4)
    assert [each.position for each in found] == [5, 6]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_events_of_a_type_are_found(desk, limit):
    """In the log and in a stream."""
    found = await all_pages(desk, ReadLog, limit, event_type="NoteWritten")
    assert [each.position for each in found] == [1, 3]
    found = await all_pages(desk, ReadStream, limit, stream_id="note-a", event_type="NoteAdded")
    assert [each.version for each in found] == [2, 4]
    assert await all_pages(desk, ReadLog, limit, event_type="NoteLost") == []


@pytest.mark.parametrize("limit", [1, 3, 4, 5])
async def test_a_stream_is_read_in_pages(desk, limit):
    """In its order, to its end; one that does not exist has no events."""
    found = await all_pages(desk, ReadStream, limit, stream_id="note-a")
    assert [(each.version, each.position) for each in found] == [(1, 1), (2, 2), (3, 5), (4, 6)]
    found = await all_pages(desk, ReadStream, limit, stream_id="note-a", after=3)
    assert [each.version for each in found] == [4]
    assert await all_pages(desk, ReadStream, limit, stream_id="note-c") == []


async def test_a_query_does_not_read_the_whole_log():
    """A type that is rare makes short pages, which lead on."""
    desk = Desk()
    await append(desk.log, "a", *[NoteRead()] * (READS * READ_AT_ONCE + 5), NoteErased())
    page = await desk.send(ReadLog(event_type="NoteErased"))
    assert page.items == []
    page = await desk.send(ReadLog(event_type="NoteErased", cursor=page.next_cursor))
    assert [each.position for each in page.items] == [READS * READ_AT_ONCE + 6]
    assert page.next_cursor is None


async def test_a_cursor_belongs_to_what_was_asked(desk):
    """Under other filters, or of another stream, it is refused."""
    cursor = (await desk.send(ReadLog(limit=1))).next_cursor
    assert cursor
    for query in (
        ReadLog(cursor="none"),
        ReadLog(event_type="NoteRead", cursor=cursor),
        ReadLog(after=1, cursor=cursor),
        ReadStream("note-a", cursor=cursor),
    ):
        with pytest.raises(InvalidCursor):
            await desk.send(query)
