"""Pages, their cursors, and what they ask of views."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import (
    BeginsWith,
    ConsistentViews,
    HasWord,
    InvalidCursor,
    OneOf,
    PageRequest,
    PositionWatch,
    Versioned,
    read_page,
)
from app.framework.request import NO_CONTEXT
from tests.following import prepare
from tests.notes import BEGIN, NOTES

REQUEST = PageRequest({"shelf": "a"}, "written_at", limit=2)


@pytest.fixture
async def views():
    """Five notes of one moment."""
    read_model = MemoryReadModel()
    await prepare(read_model, NOTES)
    note = {"shelf": "a", "texts": [], "written_at": BEGIN}
    await read_model.write(NOTES.id, {f"n{each}": Versioned(note, 1) for each in range(1, 6)})
    return ConsistentViews(read_model, PositionWatch(read_model), seconds=1)


async def test_a_cursor_leads_to_the_next_page(views):
    """The last page has none."""
    cursor, pages = None, list[Any]()
    while not pages or cursor:
        page = await read_page(views, "notes", REQUEST, NO_CONTEXT, cursor=cursor, sorts=datetime)
        pages.append([each.key for each in page.items])
        cursor = page.next_cursor
    assert pages == [["n1", "n2"], ["n3", "n4"], ["n5"]]


async def test_a_page_that_ends_with_the_list_is_the_last(views):
    """No empty page follows."""
    five = PageRequest({"shelf": "a"}, "written_at", 5)
    page = await read_page(views, "notes", five, NO_CONTEXT, cursor=None, sorts=datetime)
    assert (len(page.items), page.next_cursor) == (5, None)


async def test_a_page_of_nothing_is_empty(views):
    """And the last."""
    nothing = PageRequest({"shelf": "b"}, "written_at", 5)
    page = await read_page(views, "notes", nothing, NO_CONTEXT, cursor=None, sorts=datetime)
    assert (list(page.items), page.next_cursor) == ([], None)


async def test_the_limit_may_change_on_the_way(views):
    """A cursor is not bound to it."""
    first = await read_page(views, "notes", REQUEST, NO_CONTEXT, cursor=None, sorts=datetime)
    rest = PageRequest({"shelf": "a"}, "written_at", limit=9)
    page = await read_page(
        views, "notes", rest, NO_CONTEXT, cursor=first.next_cursor, sorts=datetime
    )
    assert [each.key for each in page.items] == ["n3", "n4", "n5"]


@pytest.mark.parametrize(
    "other",
    [
        PageRequest({"shelf": "b"}, "written_at", 2),
        PageRequest({"shelf": "a"}, "shelf", 2),
        PageRequest({"shelf": "a"}, "written_at", 2, descending=True),
        PageRequest({"shelf": "a"}, "written_at", 2, filters=(("shelf", HasWord("a")),)),
        PageRequest({"shelf": "a"}, "written_at", 2, either=({"shelf": "a"},)),
    ],
    ids=["filter", "sort", "direction", "search", "either"],
)
async def test_a_cursor_of_another_list_is_refused(views, other):
    """It would skip or repeat."""
    cursor = (
        await read_page(views, "notes", REQUEST, NO_CONTEXT, cursor=None, sorts=datetime)
    ).next_cursor
    with pytest.raises(InvalidCursor):
        await read_page(views, "notes", other, NO_CONTEXT, cursor=cursor, sorts=datetime)


@pytest.mark.parametrize(
    ("field", "value", "other"),
    [
        ("shelf", OneOf(("a", "b")), OneOf(("a",))),
        ("shelf", BeginsWith("a"), HasWord("a")),
        ("written_at", BEGIN, BEGIN + timedelta(days=1)),
    ],
    ids=["one of", "text", "time"],
)
async def test_a_cursor_is_bound_to_conditions_of_every_kind(views, field, value, other):
    """It leads on under the same one, and is refused under another."""
    first, second = (PageRequest({field: it}, "written_at", 2) for it in (value, other))
    page = await read_page(views, "notes", first, NO_CONTEXT, cursor=None, sorts=datetime)
    cursor = page.next_cursor
    page = await read_page(views, "notes", first, NO_CONTEXT, cursor=cursor, sorts=datetime)
    assert [each.key for each in page.items] == ["n3", "n4"]
    with pytest.raises(InvalidCursor):
        await read_page(views, "notes", second, NO_CONTEXT, cursor=cursor, sorts=datetime)


async def test_a_cursor_of_another_view_is_refused(views):
    """Even if that can be sorted and filtered alike."""
    cursor = (
        await read_page(views, "notes", REQUEST, NO_CONTEXT, cursor=None, sorts=datetime)
    ).next_cursor
    with pytest.raises(InvalidCursor):
        await read_page(views, "others", REQUEST, NO_CONTEXT, cursor=cursor, sorts=datetime)
