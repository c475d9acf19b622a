"""Cursors are opaque, and good only for what they were given out for."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.projections import InvalidCursor, Seek, decode_cursor, encode_cursor

FILTERS = {"view": "notes", "equals": {"shelf": "a"}, "sort": "title", "descending": False}
SEEK = Seek("Žofie", "n1")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    value=TEXTS | st.integers(1 - 2**63, 2**63 - 1) | st.datetimes(timezones=st.just(UTC)),
    key=TEXTS,
)
def test_a_cursor_says_where_it_was(value, key):
    """Whatever texts, integers and times a list is sorted by."""
    cursor = encode_cursor(Seek(value, key), FILTERS)
    assert decode_cursor(cursor, FILTERS, type(value)) == Seek(value, key)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


@pytest.mark.parametrize(
    "others",
    [
        {**FILTERS, "sort": "pages"},
        {**FILTERS, "descending": True},
        {**FILTERS, "equals": {"shelf": "b"}},
        {**FILTERS, "view": "books"},
        {},
    ],
    ids=["sort", "direction", "filter", "view", "none"],
)
def test_a_cursor_is_bound_to_what_was_asked_for(others):
    """With another filter or order it would skip or repeat."""
    with pytest.raises(InvalidCursor, match="another filter or order"):
        decode_cursor(encode_cursor(SEEK, FILTERS), others, str)


def forged(*content) -> str:
    """A cursor with this content in place of the right one."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


RIGHT = json.loads(base64.urlsafe_b64decode(encode_cursor(SEEK, FILTERS) + "=="))[0]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "Žofie",
        "\ud800",
        "AAAA",
        "!!!!",
        encode_cursor(SEEK, FILTERS)[:-4],
        encode_cursor(SEEK, FILTERS) + "\n",
        forged(),
        forged(RIGHT, 0, "a"),
        forged(RIGHT, 0, "a", "b", "c"),
        forged(RIGHT, 0, None, "k"),
        forged(RIGHT, 0, ["a"], "k"),
        forged(RIGHT, 0, {"$gt": ""}, "k"),
        forged(RIGHT, 0, 1.5, "k"),
        forged(RIGHT, 0, 2**64, "k"),
        forged(RIGHT, 0, "\ud800", "k"),
        forged(RIGHT, 0, "a", 7),
        forged(RIGHT, 0, "a", "\ud800"),
        forged(RIGHT, 1, "yesterday", "k"),
        forged(RIGHT, 1, "2026-01-01T00:00:00", "k"),
        forged(RIGHT, 1, 7, "k"),
        forged(RIGHT, 1, "0001-01-01T00:00:00+23:59", "k"),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_what_is_no_cursor_is_refused(cursor):
    """With words, not with whatever decoding stumbles over."""
    for sorts in (str, int, datetime):
        with pytest.raises(InvalidCursor, match="malformed"):
            decode_cursor(cursor, FILTERS, sorts)


@pytest.mark.parametrize(
    ("is_time", "value", "right"),
    [
        (0, "a", str),
        (0, "2026-01-01T00:00:00Z", str),
        (0, 7, int),
        (1, "2026-01-01T00:00:00Z", datetime),
        (0, True, None),
    ],
)
@pytest.mark.parametrize("sorts", [str, int, datetime])
def test_a_cursor_of_another_type_than_the_list_is_sorted_by_is_refused(
    is_time, value, right, sorts
):
    """A store compares a text with no time and no number, so the page would be empty."""
    cursor = forged(RIGHT, is_time, value, "k")
    if sorts is right:
        assert type(decode_cursor(cursor, FILTERS, sorts).value) is sorts
        return
    with pytest.raises(InvalidCursor, match="malformed"):
        decode_cursor(cursor, FILTERS, sorts)


@given(st.text() | st.binary().map(lambda each: base64.urlsafe_b64encode(each).decode()))
def test_nothing_else_is_raised(cursor):
    """Whatever a client sends."""
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor, FILTERS, str)


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
    )
)
def test_a_forged_cursor_seeks_a_value_or_is_refused(content):
    """What it leads to is a text, an integer or a time, never an operator."""
    for is_time in (0, 1):
        for sorts in (str, int, datetime):
            try:
                seek = decode_cursor(forged(RIGHT, is_time, content, "k"), FILTERS, sorts)
            except InvalidCursor:
                continue
            assert type(seek.value) is sorts
