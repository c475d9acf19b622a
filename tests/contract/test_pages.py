"""Pages of a view, in memory and in MongoDB by either driver."""

import asyncio
import dataclasses
from typing import Any

import pytest

from app.framework.projections import (
    BeginsWith,
    Entry,
    HasWord,
    OneOf,
    PageRequest,
    Seek,
    Versioned,
)
from tests.contract.books import BOOKS, book, put, read
from tests.following import prepare, serve


@pytest.fixture
async def library(read_model):
    """A read model with room for books."""
    await prepare(read_model, BOOKS)
    return read_model


async def keys(library, shelf: int, **request) -> list[str]:
    """The keys of the books on a page."""
    fields = {"equals": {"shelf": shelf}, "sort": "title", "limit": 100, **request}
    return [each.key for each in await library.page("books", PageRequest(**fields))]


async def test_books_are_in_order(library):
    """Of the sort field, and of the key where that is equal; in either direction."""
    some = {"k1": book(1, "b"), "k2": book(1, "a"), "k3": book(1, "b"), "k4": book(2, "a")}
    await put(library, some)
    assert await keys(library, 1) == ["k2", "k1", "k3"]
    assert await keys(library, 1, descending=True) == ["k3", "k1", "k2"]
    assert await keys(library, 3) == []


async def test_text_is_ordered_by_code_point(library):
    """Whatever its language; locales are the projection's business."""
    titles = [
        "",
        "A",
        "Z",
        "a",
        "aa",
        "a\N{COMBINING ACUTE ACCENT}",
        "z",
        "é",
        "中",
        "\N{PILE OF POO}",
    ]
    await put(library, {f"k{99 - each}": book(1, title) for each, title in enumerate(titles)})
    page = await library.page("books", PageRequest({"shelf": 1}, "title", 100))
    assert [each.document["title"] for each in page] == titles


async def test_entries_carry_key_document_and_position(library):
    """As a read by key does."""
    await put(library, {"k": book(1, "a")}, position=7)
    page = await library.page("books", PageRequest({"shelf": 1}, "title", 1))
    assert list(page) == [Entry("k", book(1, "a"), 7)] == [await library.get("books", "k")]


async def test_a_page_has_its_limit_and_begins_past_where_it_is_told(library):
    """Also when no document is just there any more."""
    await put(library, {f"k{each}": book(1, "same") for each in range(1, 9)})
    assert await keys(library, 1, limit=3) == ["k1", "k2", "k3"]
    assert await keys(library, 1, limit=3, after=Seek("same", "k3")) == ["k4", "k5", "k6"]
    assert await keys(library, 1, limit=3, after=Seek("same", "k6")) == ["k7", "k8"]
    assert await keys(library, 1, limit=3, after=Seek("same", "k8")) == []
    assert await keys(library, 1, limit=1, after=Seek("rather", "x")) == ["k1"]
    assert await keys(library, 1, after=Seek("same", "k3"), descending=True) == ["k2", "k1"]


async def test_a_field_that_is_a_list_contains_what_is_asked_for(library):
    """One of its items is the value."""
    tags = {"k1": ["x", "y"], "k2": ["y"], "k3": [], "k4": ["xy"]}
    await put(library, {key: book(1, key, tags=each) for key, each in tags.items()})
    assert await keys(library, 1, equals={"shelf": 1, "tags": "y"}) == ["k1", "k2"]


FOUND_BY_PREFIX = {
    "a": ["k1", "k2", "k3"],
    "al": ["k1", "k2"],
    "alice": ["k1"],
    "smi": ["k1", "k3"],
    "alice s": ["k1"],
    "alice smith": ["k1"],
    "alice smith x": [],
    "lice": [],
    "mith": [],
    "": ["k1", "k2", "k3", "k4"],
    ".": [],
    "al.ce": [],
    "(": ["k4"],
    "^": [],
    "$x": ["k4"],
    "中": ["k4"],
}


async def test_a_word_begins_with_what_is_asked_for(library):
    """Any word, and on into the words after; nothing in it has a meaning of its own."""
    words = {"k1": "alice smith", "k2": "bob al", "k3": "ann smit", "k4": "$x (y 中文"}
    await put(library, {key: book(1, key, words=each) for key, each in words.items()})
    found = {
        prefix: await keys(library, 1, filters=(("words", HasWord(prefix)),))
        for prefix in FOUND_BY_PREFIX
    }
    assert found == FOUND_BY_PREFIX


async def test_a_field_is_one_of_several_values(library):
    """Or contains one, if it is a list."""
    tags = {"k1": ["x", "y"], "k2": ["y"], "k3": [], "k4": ["z"]}
    await put(library, {key: book(1, key, tags=each) for key, each in tags.items()})
    for values, found in ((("x", "z"), ["k1", "k4"]), (("y",), ["k1", "k2"]), (("w", "v"), [])):
        assert await keys(library, 1, equals={"shelf": 1, "tags": OneOf(values)}) == found


async def test_a_field_begins_with_what_is_asked_for(library):
    """Nothing in it has a meaning of its own."""
    titles = {"k1": "a.b c", "k2": "a.b", "k3": "axb", "k4": "é中", "k5": "é", "k6": "a"}
    await put(library, {key: book(1, each) for key, each in titles.items()})
    for text, found in (("a.b", ["k2", "k1"]), ("a.b ", ["k1"]), ("é", ["k5", "k4"]), ("^a", [])):
        equals = {"shelf": 1, "title": BeginsWith(text)}
        assert await keys(library, 1, equals=equals) == found


@pytest.mark.parametrize("descending", [False, True])
async def test_either_of_several_conditions_is_enough(library, descending):
    """What matches more than one is on the pages once, in its place."""
    books = {"k1": book(1, "ab", tags=["x"]), "k2": book(1, "b", tags=["x"]), "k3": book(1, "ac")}
    others = {"k4": book(1, "c"), "k5": book(2, "a", tags=["x"]), "k6": book(1, "ad", tags=["y"])}
    await put(library, books | others)
    either = ({"title": BeginsWith("a")}, {"tags": OneOf(("x", "z"))})
    request = {"either": either, "descending": descending}
    due = ["k1", "k3", "k6", "k2"]
    due = due[::-1] if descending else due
    assert await keys(library, 1, **request) == due
    titles = {**books, **others}
    for number, key in enumerate(due):
        after = Seek(titles[key]["title"], key)
        assert await keys(library, 1, after=after, **request) == due[number + 1 :]


async def test_a_version_of_before_is_asked_in_its_own_terms(library):
    """Until the new one serves; and a cursor that was given out before goes on in the new one."""
    later = dataclasses.replace(BOOKS, version=2)
    await put(library, {f"k{each}": book(1, f"{each}") for each in range(3)})
    formerly = PageRequest({"shelf": 1}, "title", 1)
    request = PageRequest({"place": 1}, "title", 1, formerly=(2, formerly))
    first = await read(library, formerly, None, str)
    second = await read(library, request, first.next_cursor, str)
    assert [each.key for each in second.items] == ["k1"]
    await prepare(library, later)
    documents = {f"k{each}": {"place": 1, "title": f"{each}"} for each in range(3)}
    await library.write(later.id, {key: Versioned(each, 1) for key, each in documents.items()})
    await serve(library, later)
    third = await read(library, request, second.next_cursor, str)
    assert [each.key for each in third.items] == ["k2"]


async def test_values_are_no_operators(library):
    """What is asked for is compared as it is."""
    await put(library, {"k": book(1, "a")})
    for value in ({"$ne": 0}, "$shelf", {"$gt": ""}, [1]):
        assert await keys(library, 1, equals={"shelf": value}) == []


async def test_a_large_page_is_whole(library):
    """Larger than what a server answers at once unless asked."""
    await put(library, {f"k{each:03}": book(1, "x") for each in range(400)})
    assert len(await keys(library, 1, limit=350)) == 350
    assert len(await keys(library, 1, limit=1000)) == 400


async def test_pages_at_once_get_each_its_own(library):
    """However many are asked for."""
    await put(library, {f"k{each}": book(each, "x") for each in range(20)})
    found = await asyncio.gather(*(keys(library, each % 20) for each in range(200)))
    assert found == [[f"k{each % 20}"] for each in range(200)]


async def test_only_the_fields_that_are_asked_for_are_read(library):
    """And what the page is sorted by, which its cursor is made of."""
    await put(library, {"k": book(1, "a", pages=7)})
    request = PageRequest({"shelf": 1}, "title", 1, fields=("pages",))
    assert list(await library.page("books", request)) == [Entry("k", {"title": "a", "pages": 7}, 1)]


async def test_of_callers_who_ask_for_the_same_each_has_its_own(library):
    """They may change what they were given, and may give up."""
    await put(library, {"k": book(1, "x", tags=["a"])})
    request = PageRequest({"shelf": 1}, "title", 1)
    asking = [asyncio.ensure_future(library.page("books", request)) for _ in range(5)]
    await asyncio.sleep(0)  # now they wait
    asking[0].cancel()
    asking[3].cancel()
    pages: list[Any] = await asyncio.gather(*asking, return_exceptions=True)
    for (entry,) in (pages[each] for each in (1, 2, 4)):
        assert entry.document == book(1, "x", tags=["a"])
        entry.document["tags"].append("b")
