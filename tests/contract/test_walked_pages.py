"""All pages of a view, one after the other, are the whole."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.framework.projections import Entry, PageRequest, Versioned, Views
from tests.contract.books import BOOKS, book, put, read
from tests.following import prepare

shelves = itertools.count()

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = st.sampled_from(["", "a", "aa", "b", "é", "\N{PILE OF POO}", "$x"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=2
)
PAGES = st.integers(-2, 2) | st.integers(-(2**62), 2**62)
TIMES = st.integers(-3, 3).map(lambda each: BEGIN + timedelta(milliseconds=each))
KEYS = st.text("abé\N{PILE OF POO}$", min_size=1, max_size=3)
BOOKS_BY_KEY = st.dictionaries(
    KEYS, st.fixed_dictionaries({"title": TITLES, "pages": PAGES, "bought_at": TIMES}), max_size=12
)
SORTS = {"title": str, "pages": int, "bought_at": datetime}


@pytest.fixture
async def library(read_model):
    """A read model with room for books."""
    await prepare(read_model, BOOKS)
    return read_model


async def walk(library: Views, request: PageRequest, between) -> list[Entry]:
    """All pages, one after the other; `between` happens after each."""
    entries: list[Entry] = []
    cursor = None
    while True:
        page = await read(library, request, cursor, SORTS[request.sort])
        assert len(page.items) <= request.limit
        entries += page.items
        if page.next_cursor is None:
            return entries
        assert len(page.items) == request.limit
        cursor = page.next_cursor
        await between()


@given(
    books=BOOKS_BY_KEY,
    later=BOOKS_BY_KEY,
    doomed=st.sets(KEYS, max_size=4),
    sort=st.sampled_from(list(SORTS)),
    descending=st.booleans(),
    limit=st.integers(1, 5),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pages_make_up_the_whole(library, books, later, doomed, sort, descending, limit):
    """In order, nothing twice, and nothing missed that was there all along.

    Whatever is put on the shelf or taken away while somebody reads page after page.
    """
    shelf = next(shelves)
    own = {key: {**book(shelf, "x"), **each} for key, each in books.items()}
    new = {key: {**book(shelf, "x"), **each} for key, each in later.items() if key not in own}
    coming, going = iter(new), iter(sorted(doomed & own.keys()))
    on_shelf = dict(own)

    async def change() -> None:
        for key in itertools.islice(coming, 1):
            on_shelf[key] = new[key]
            await put(library, {f"{shelf}/{key}": new[key]})
        for key in itertools.islice(going, 1):
            del on_shelf[key]
            await library.write(BOOKS.id, {f"{shelf}/{key}": Versioned(None, 2)})

    await put(library, {f"{shelf}/{key}": each for key, each in own.items()})
    request = PageRequest({"shelf": shelf}, sort, limit, descending=descending)
    found = await walk(library, request, change)
    order = [(each.document[sort], each.key) for each in found]
    assert order == sorted(set(order), reverse=descending)
    seen = {each.key.partition("/")[2] for each in found}
    assert own.keys() - doomed <= seen <= own.keys() | new.keys()
    for _ in (*new, *doomed):
        await change()
    due = {f"{shelf}/{key}": each for key, each in on_shelf.items()}
    found = await walk(library, request, change)
    in_order = sorted(due, key=lambda key: (due[key][sort], key), reverse=descending)
    assert [(each.key, each.document) for each in found] == [(key, due[key]) for key in in_order]
