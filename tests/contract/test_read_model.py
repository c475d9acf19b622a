"""What every read model promises of documents, in memory and in MongoDB by either driver."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.framework.projections import Entry, PageRequest, Projection, Versioned
from tests.following import prepare
from tests.notes import NOTES, NOW, deleted, note


async def stored(read_model, key: str, projection: Projection = NOTES) -> Versioned | None:
    """What is under `key`."""
    return (await read_model.load(projection.id, [key])).get(key)


DOCUMENTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "scalars": {"text": "x", "number": 7, "large": 2**62, "half": 0.5, "yes": True, "none": None},
    "times": {"first": datetime(1970, 1, 1, tzinfo=UTC), "now": NOW},
    "nested": {"list": [1, [2, {"three": None}], NOW], "empty": [], "object": {"a": {"b": {}}}},
    "operators": {"text": "$name", "more": "$$ROOT", "list": ["$set"], "dots": "a.b.$.c"},
    "unicode": {"name": "Žofie \N{GREEK SMALL LETTER ALPHA}\0 \N{PILE OF POO}"},
    "names of operators": {"data": {"$set": {"a.b": 1}, "a.b": "$x", "": 0}},
}


@pytest.mark.parametrize("created", [True, False], ids=["created", "replaced"])
async def test_documents_are_read_as_they_were_written(prepared, created):
    """By projectors and by queries, whatever types and characters they hold."""
    if not created:
        await prepared.write(NOTES.id, {key: note("before", 1) for key in DOCUMENTS})
    some = {key: Versioned(each, 2) for key, each in DOCUMENTS.items()}
    await prepared.write(NOTES.id, some, created=some.keys() if created else ())
    assert await prepared.load(NOTES.id, some.keys()) == some
    for key, each in DOCUMENTS.items():
        assert await prepared.get("notes", key) == Entry(key, each, 2)


async def test_times_are_read_in_utc(prepared):
    """They carry their zone."""
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    entry = await prepared.get("notes", "n")
    assert entry.document["written_at"].utcoffset() == timedelta(0)


KEYS = ["$n", "a.b", "Ž\N{PILE OF POO}", "with space", "0", "n" * 700, "null\0byte"]


async def test_any_text_is_a_key(prepared):
    """Nothing in it is taken for anything else."""
    await prepared.write(NOTES.id, {key: note("x", 1) for key in KEYS})
    for key in KEYS:
        assert (await prepared.get("notes", key)).key == key
        assert await prepared.get("notes", key + "x") is None


async def test_a_key_that_cannot_be_encoded_is_not_found(prepared):
    """And those who ask at the same time get their answers."""
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    found = await asyncio.gather(*(prepared.get("notes", each) for each in ("\ud800", "n")))
    assert [each and each.key for each in found] == [None, "n"]


async def test_only_what_is_asked_for_is_loaded(prepared):
    """Keys without a document are left out."""
    await prepared.write(NOTES.id, {"a": note("a", 1), "b": note("b", 2)})
    assert await prepared.load(NOTES.id, ["b", "c"]) == {"b": note("b", 2)}
    assert await prepared.load(NOTES.id, []) == {}


async def test_large_documents_are_loaded_whole(prepared):
    """A batch may be larger than what a server answers at once."""
    some = {f"n{each}": note("x" * 200_000, each) for each in range(1, 121)}
    for start in range(1, 121, 20):
        keys = [f"n{each}" for each in range(start, start + 20)]
        await prepared.write(NOTES.id, {key: some[key] for key in keys})
    assert await prepared.load(NOTES.id, some.keys()) == some


async def test_a_caller_s_document_is_its_own(prepared):
    """Changing it, before or after, changes nothing that others get."""
    document: dict[str, Any] = {"texts": ["x"], "data": {"list": [1]}}
    await prepared.write(NOTES.id, {"n": Versioned(document, 1)})
    document["data"]["list"].append("written")
    loaded = (await prepared.load(NOTES.id, ["n"]))["n"]
    loaded.document["data"]["list"].append("loaded")
    one, other = await asyncio.gather(*(prepared.get("notes", "n") for _ in range(2)))
    one.document["data"]["list"].append("got")
    (paged,) = await prepared.page("notes", PageRequest(equals={}, sort="texts", limit=9))
    paged.document["data"]["list"].append("paged")
    assert other.document == {"texts": ["x"], "data": {"list": [1]}}
    assert await prepared.get("notes", "n") == other


@pytest.mark.parametrize("created", [["n"], []], ids=["hinted", "unhinted"])
async def test_a_document_never_goes_back(prepared, created):
    """Writes at the same or an earlier position are passed over, others of the batch are not."""
    await prepared.write(NOTES.id, {"n": note("new", 5)}, created=created)
    for late in (note("old", 4), note("same", 5), deleted(3), deleted(5)):
        await prepared.write(NOTES.id, {"n": late, f"m{late.position}": late}, created=created)
        assert await stored(prepared, "n") == note("new", 5)
    assert set(await prepared.load(NOTES.id, ["m3", "m4", "m5"])) == {"m3", "m4", "m5"}
    await prepared.write(NOTES.id, {"n": note("newer", 6)}, created=created)
    assert await stored(prepared, "n") == note("newer", 6)


@pytest.mark.parametrize("hinted", [True, False])
async def test_of_writers_at_once_the_latest_position_stays(open_read_model, hinted):
    """Also when they all create the document."""
    writers = [open_read_model() for _ in range(4)]
    await prepare(writers[0], NOTES)
    for attempt in range(10):
        keys = [f"n{attempt}-{each}" for each in range(20)]
        await asyncio.gather(
            *(
                each.write(
                    NOTES.id,
                    {key: note(f"by {position}", position) for key in keys},
                    created=keys if hinted else (),
                )
                for position, each in enumerate(writers * 2, 1)
            )
        )
        assert await writers[0].load(NOTES.id, keys) == {key: note("by 8", 8) for key in keys}


async def test_a_deleted_document_is_seen_by_projectors_only(prepared):
    """Queries do not find it."""
    await prepared.write(NOTES.id, {"n": note("x", 1), "m": note("y", 2)})
    await prepared.write(NOTES.id, {"n": deleted(3), "never": deleted(4)})
    assert await prepared.load(NOTES.id, ["n", "never"]) == {"n": deleted(3), "never": deleted(4)}
    assert await prepared.get("notes", "n") is None
    for equals in ({"shelf": "a"}, {}, {"gone": None}):
        page = await prepared.page("notes", PageRequest(equals, "written_at", 10))
        assert [each.key for each in page] == ["m"]
    assert await prepared.count(NOTES.id, up_to=9) == 1


async def test_a_deleted_document_is_not_revived_by_a_late_writer(prepared):
    """Only by an event past its deletion."""
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    await prepared.write(NOTES.id, {"n": deleted(3)})
    await prepared.write(NOTES.id, {"n": note("late", 2)}, created=["n"])
    await prepared.write(NOTES.id, {"n": note("late", 2)})
    assert await prepared.get("notes", "n") is None
    await prepared.write(NOTES.id, {"n": note("again", 4)})
    assert await prepared.get("notes", "n") == Entry("n", note("again", 4).document or {}, 4)


async def test_documents_are_counted_up_to_a_position(prepared):
    """Those changed later are not counted."""
    await prepared.write(NOTES.id, {"a": note("a", 1), "b": note("b", 2), "c": note("c", 3)})
    assert [await prepared.count(NOTES.id, up_to=each) for each in (0, 1, 2, 9)] == [0, 1, 2, 3]


async def test_nothing_to_write_is_written(prepared):
    """An empty batch is no error."""
    await prepared.write(NOTES.id, {})


async def test_many_reads_at_once_get_each_its_own(prepared):
    """Whether the keys are there, are not, or are asked for by others too."""
    some = {f"n{each}": note(f"{each}", each) for each in range(1, 301)}
    await prepared.write(NOTES.id, some)
    keys = [f"n{each % 400}" for each in range(1, 1201)]
    found = await asyncio.gather(*(prepared.get("notes", each) for each in keys))
    for key, entry in zip(keys, found, strict=True):
        assert (entry and Versioned(entry.document, entry.position)) == some.get(key)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
        lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000, tzinfo=UTC)
    )
)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@given(
    document=st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,7}", fullmatch=True), VALUES, max_size=5)
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_document_is_read_as_it_was_written(prepared, document):
    """Of all that a document may hold nothing is changed."""
    position = 1 + max(
        (each.position for each in (await prepared.load(NOTES.id, ["n"])).values()), default=0
    )
    await prepared.write(NOTES.id, {"n": Versioned(document, position)})
    assert await stored(prepared, "n") == Versioned(document, position)
