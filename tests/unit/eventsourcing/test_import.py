"""Imports: all of a file or nothing, however often they are killed."""

import logging
from collections.abc import Callable

import pytest

from app.adapters.memory.stored_log import MemoryStoredLog
from app.framework.eventsourcing import Claim, ClaimTaken
from app.framework.eventsourcing.archive import (
    AnotherImport,
    CannotImport,
    LogReader,
    through_outages,
)
from tests.unit.eventsourcing.archives import (
    Dying,
    Killed,
    Line,
    Steps,
    Twice,
    Unavailable,
    changed,
    exported,
    filled,
    import_from,
    stored,
)
from tests.unit.eventsourcing.shelf import label, new_store, process, put


@pytest.fixture
def path(tmp_path):
    """The file to import."""
    return tmp_path / "log.jsonl"


@pytest.fixture
async def source(path):
    """A store whose log of 120 events is in the file."""
    store = await filled()
    path.write_bytes(await exported(store))
    return store


@pytest.fixture
def store():
    """The store to import into."""
    return new_store()


@pytest.fixture
def log(store):
    """Its log in its stored form."""
    return MemoryStoredLog(store)


async def test_an_imported_log_is_the_one_that_was_exported(path, source, store, log):
    """Its events, its identity, its claims, and what comes next."""
    assert await import_from(path, log, steps := Steps())

    assert await exported(store) == await exported(source)
    assert steps.shown == {
        "Importing events, of 120": [0, 120],
        "Rebuilding claims, of 120": [0, 120],
    }
    shelves = process(store)
    with pytest.raises(ClaimTaken):
        await shelves.transact("other", label("label 7"))
    await shelves.transact("7", label("free"))
    await shelves.transact("other", label("label 7"))
    stored = await shelves.transact("7", put("more"))
    assert (stored.version, stored.position) == (6, 123)


async def test_a_copy_that_lives_on_beside_the_log_keeps_its_own_identity(path, source, store, log):
    """So that the read model of one is not taken for that of the other."""
    own = await log.identity()
    assert await import_from(path, log, keeps_identity=True)
    assert await store.identity() == own != await source.identity()
    assert await log.head() == 120


async def test_an_import_that_was_killed_goes_on(path, source, monkeypatch):
    """Before any of its calls, and after it; until the last, nothing is seen."""
    for module in ("importing", "log_file"):
        monkeypatch.setattr(f"app.framework.eventsourcing.archive.{module}.AT_ONCE", 50)
    whole = await exported(source)
    is_killed, call = True, 0
    while is_killed:
        for after in (False, True):
            store = new_store()
            log = MemoryStoredLog(store)
            try:
                await import_from(path, Dying(log, call, after=after))
            except Killed:
                assert await store.head() in (0, 120)
            else:
                is_killed = False
            await import_from(path, log)
            assert await exported(store) == whole
            with pytest.raises(ClaimTaken):
                await process(store).transact("other", label("label 29"))
        call += 1
    assert call > 9


async def test_an_import_that_was_finished_is_not_repeated(path, source, log):
    """As if it had been killed before it said so."""
    assert await import_from(path, log)
    assert not await import_from(path, log)
    assert await stored(log) == await stored(MemoryStoredLog(source))


async def test_a_log_with_other_events_is_left_alone(path, source, store, log):
    """Also one with the identity of the file, and another future."""
    await process(store).transact("mine", put("it"))
    with pytest.raises(CannotImport, match="has events already"):
        await import_from(path, log)
    assert await log.head() == 1

    other = await filled(31, 3)
    other.fill(await source.identity(), other.rows(0, 124), {})
    with pytest.raises(CannotImport, match="has events already"):
        await import_from(path, MemoryStoredLog(other))


async def test_an_empty_log_is_imported(path, log):
    """It takes the identity over."""
    source = await filled(0)
    path.write_bytes(await exported(source))
    assert await import_from(path, log)
    assert await log.identity() == await source.identity()


WRONG_HEADERS: dict[str, dict[str, object]] = {
    "no exported log": {"format": "diary"},
    "format version is 2": {"format_version": 2},
    "header is damaged": {"log": "mine"},
    "its header is damaged": {"position": -1},
    "It ends after position 120 of 121": {"position": 121},
    "It ends after position 120 of 119": {"position": 119},
}


@pytest.mark.parametrize("why", WRONG_HEADERS)
async def test_a_file_that_begins_with_something_else_is_refused(path, source, store, log, why):  # noqa: ARG001
    """In one line, which names the file."""
    changed(path, 0, lambda header: header.update(WRONG_HEADERS[why]))
    with pytest.raises(CannotImport, match=f"(?i)^{path}: .*{why}") as caught:
        await import_from(path, log)
    assert "\n" not in str(caught.value)
    assert store.is_empty
    assert not store.is_importing


@pytest.mark.parametrize("cut", [1, 3, 150, 1000])
async def test_a_file_that_ends_early_is_refused(path, source, store, log, cut):  # noqa: ARG001
    """It is what an export that was killed leaves behind; the line says how to go on."""
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(CannotImport, match=r"It ends after position 1\d\d of 120; complete it"):
        await import_from(path, log)
    assert not store.is_importing


WRONG_LINES: dict[str, Callable[[Line], object]] = {
    "Its position is 52, not 50": lambda line: line.update(position=52),
    "Its position cannot": lambda line: line.update(position=True),
    "Its version cannot": lambda line: line.update(version=0),
    "Its stream_id cannot": lambda line: line.update(stream_id="a\0b"),
    "Its type cannot": lambda line: line.update(type="\ud800"),
    "Its schema_version cannot": lambda line: line.update(schema_version=1.5),
    "Its data cannot": lambda line: line.update(data=[]),
    "Its metadata cannot": lambda line: line.update(metadata=None),
    "Its recorded_at cannot": lambda line: line.update(recorded_at="yesterday"),
    "recorded_at cannot be used": lambda line: line.update(recorded_at="2026-01-01T12:00:00"),
    "recorded_at cannot": lambda line: line.update(recorded_at="0001-01-01T00:00:00+14:00"),
    "is before that of the line before": lambda line: line.update(recorded_at="2000-01-01T00Z"),
    "Its members are not position, stream_id": lambda line: line.update(more=1),
    "It is not an event in JSON": lambda line: line.update(data={"label": float("nan")}),
}


@pytest.mark.parametrize("why", WRONG_LINES)
async def test_a_damaged_line_is_refused_and_nothing_is_imported(path, source, store, log, why):  # noqa: ARG001
    """Wherever it is; the line is named, and what is in it is not."""
    changed(path, 50, WRONG_LINES[why])
    with pytest.raises(CannotImport, match=rf"^Nothing was imported. {path}, line 51: .*{why}"):
        await import_from(path, log)
    assert store.is_empty
    assert not store.is_importing


WRONG_STREAMS: dict[str, Callable[[Line], object]] = {
    "No event class is registered for 'Burnt'": lambda line: line.update(type="Burnt"),
    "No event class .* schema version 2": lambda line: line.update(schema_version=2),
    "cannot be decoded": lambda line: line.update(data={"x": 1}),
    "The stream shelf-20 has no version 3; the next, 4": lambda line: line.update(version=9),
    "have one version of a stream": lambda line: line.update(version=2),
    "The streams shelf-20 and shelf-7 hold one label": lambda line: line.update(
        type="Labelled", data={"label": "label 7"}
    ),
}


@pytest.mark.parametrize("why", WRONG_STREAMS)
async def test_streams_that_make_no_sense_are_refused(path, source, store, log, why):  # noqa: ARG001
    """Nothing is left of the import, and a file that is sound can be imported."""
    sound = path.read_bytes()
    changed(path, 81, WRONG_STREAMS[why])  # version 3 of shelf 20
    with pytest.raises(CannotImport, match=f"^Nothing was imported. .*{why}") as caught:
        await import_from(path, log)
    assert "\n" not in str(caught.value)
    assert store.is_empty
    path.write_bytes(sound)
    assert await import_from(path, log)


async def test_events_that_hold_no_claims_may_be_unknown(path, source, store, log, caplog):  # noqa: ARG001
    """They are kept for a version that knows them; a line says so, once for each stream type."""
    for number in (3, 33, 63, 93):  # all versions of shelf 2
        changed(path, number, lambda line: line.update(stream_id="box-1", type="Closed"))
    caplog.set_level(logging.WARNING)
    assert await import_from(path, log)
    assert await log.head() == 120
    [record] = caplog.records
    assert "no aggregates of the stream type box" in record.getMessage()


async def test_an_unfinished_import_goes_on_with_its_own_file_only(path, source, log):
    """A file that only begins alike is refused, and what was imported stays."""
    [first] = await MemoryStoredLog(source).read_stored(after=0, limit=1)
    await log.begin_import(await source.identity(), 120)
    await log.add_events([first])
    changed(path, 1, lambda line: line.update(data={"label": "other"}))
    with pytest.raises(CannotImport, match="position 1 is not the one that an unfinished import"):
        await import_from(path, log)
    assert await stored(log) == [first]


async def test_another_import_is_left_to_finish(path, source, store):
    """Of two at once the slower one stops, and undoes nothing."""
    log = Twice(store)
    with pytest.raises(AnotherImport):
        await import_from(path, log)
    assert len(await stored(log)) == 120
    assert await import_from(path, log)
    assert await exported(store) == await exported(source)


async def test_a_file_that_is_not_there_is_named(tmp_path):
    """With what the system says."""
    for name, why in (("log", "No such file or directory"), ("", "Is a directory")):
        with pytest.raises(CannotImport, match=f"^{tmp_path / name}: {why}.$"):
            LogReader(tmp_path / name)


async def test_claims_of_what_a_stream_was_before_are_free(path, store, log):
    """Only those of its last state are held."""
    source = await filled(2, 0)
    await process(source).transact("0", label("new"))
    path.write_bytes(await exported(source))
    await import_from(path, log)
    await process(store).transact("other", label("label 0"))
    for text in ("new", "label 1"):
        with pytest.raises(ClaimTaken):
            await process(store).transact("another", label(text))
    assert Claim("label", "new") in store._claims


async def test_an_import_waits_for_its_storage_and_goes_on(
    path, source, store, monkeypatch, caplog
):
    """Whether or not it did what it gave no answer to; one line tells of it."""
    monkeypatch.setattr("app.framework.eventsourcing.archive.progress.RETRY_SECONDS", 0)
    log = Unavailable(store)
    caplog.set_level(logging.WARNING)
    await through_outages(lambda: import_from(path, log))
    assert log.away == []
    assert await exported(store) == await exported(source)
    assert [each.getMessage() for each in caplog.records] == [
        "PostgreSQL is unavailable: no answer in time",
        "PostgreSQL: 3 calls failed in this outage.",
    ]
