"""What export and import promise, of logs in PostgreSQL and in memory."""

import json
from collections.abc import AsyncIterator

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.stored_log import MemoryStoredLog
from app.adapters.postgres import PostgresEventStore, PostgresStoredLog
from app.framework.eventsourcing import Claim, ClaimTaken
from app.framework.eventsourcing.archive import (
    FIRST_STREAM,
    AnotherImport,
    CannotImport,
    Held,
    ImportPlace,
    StoredLog,
)
from app.framework.storage import StorageUnavailable
from tests.contract.imported import EVENTS, OTHER, STREAMS, comparable, event, import_all
from tests.contract.noted import REGISTRY, Store, note


@pytest.fixture
async def both(url) -> AsyncIterator[tuple[Store, StoredLog]]:
    """A store, and its log in its stored form."""
    if url is None:
        memory = MemoryEventStore(REGISTRY)
        yield memory, MemoryStoredLog(memory)
        return
    store, log = PostgresEventStore(url, REGISTRY), PostgresStoredLog(url)
    yield store, log
    await store.close()
    await log.close()


@pytest.fixture
def store(both) -> Store:
    """The store."""
    return both[0]


@pytest.fixture
def log(both) -> StoredLog:
    """The log in its stored form."""
    return both[1]


async def test_events_are_read_as_they_are_stored(store, log):
    """From a position on, up to a number of them."""
    await store.append(note("note-1", 0, "a", "b"))
    await store.append(note("note-2", 0, "c"))

    second, third = await log.read_stored(after=1, limit=5)

    assert (second.position, second.stream_id, second.version) == (2, "note-1", 2)
    assert (third.type, third.schema_version) == ("Noted", 1)
    assert json.loads(third.data) == {"text": "c", "count": 0}
    assert json.loads(third.metadata) == {}
    assert third.recorded_at == (await store.load("note-2"))[0].recorded_at
    assert [each.position for each in await log.read_stored(after=0, limit=2)] == [1, 2]
    assert await log.read_stored(after=3, limit=1) == []


async def test_what_was_imported_is_the_log(store, log):
    """Positions, versions, times, metadata and payloads are kept, also of unknown types."""
    await import_all(log)

    assert await log.identity() == await store.identity() == OTHER
    assert await log.head() == await store.head() == 5
    assert comparable(await log.read_stored(after=0, limit=9)) == comparable(EVENTS)
    loaded = await store.load("note-a")
    assert [(each.position, each.version) for each in loaded] == [(2, 1), (5, 2)]
    assert [each.recorded_at for each in loaded] == [EVENTS[1].recorded_at, EVENTS[4].recorded_at]
    assert loaded[0].event.text == "Zoë 🎨 2"
    assert loaded[0].metadata.actor == "alice"


async def test_appends_go_on_where_an_import_ended(store, log):
    """At the next position and version, not before the last time, and claims are held."""
    await import_all(log)

    appended = await store.append(note("note-a", 2, "x", claims=[Claim("title", "free")]))

    assert (appended.position, appended.version) == (6, 3)
    assert appended.recorded_at >= EVENTS[-1].recorded_at
    with pytest.raises(ClaimTaken):
        await store.append(note("note-z", 0, "x", claims=[Claim("title", "c")]))
    await store.append(
        note("note-b", 2, "x", releases=[Claim("title", "c")], claims=[Claim("title", "d")])
    )
    await store.append(note("note-z", 0, "x", claims=[Claim("title", "c")]))


async def test_an_unfinished_import_is_not_seen_and_nothing_is_appended(store, log):
    """Readers find an empty log, and commands are refused as by an unavailable storage."""
    await log.begin_import(OTHER, len(EVENTS))
    await log.add_events(EVENTS)
    await log.add_streams(STREAMS)

    assert await log.head() == await store.head() == 0
    assert await store.read(after=0, limit=9) == []
    with pytest.raises(StorageUnavailable):
        await store.append(note("note-z", 0, "x"))
    await log.discard_import()
    assert (await store.append(note("note-z", 0, "x"))).position == 1


async def test_an_import_goes_on_where_it_was(log):
    """As another process finds it: how many events are there, and whose claims."""
    assert await log.begin_import(OTHER, 5) == ImportPlace(0, FIRST_STREAM, 0)
    await log.add_events(EVENTS[:3])
    assert await log.begin_import(OTHER, 5) == ImportPlace(3, FIRST_STREAM, 0)
    await log.add_events(EVENTS[3:])
    await log.add_streams(STREAMS[:2])
    assert await log.begin_import(OTHER, 5) == ImportPlace(5, "note-b", 4)


async def test_streams_are_read_one_after_the_other(log):
    """By id and version, from any version on."""
    await log.begin_import(OTHER, 5)
    await log.add_events(EVENTS)

    async def positions(after: str, version: int, limit: int = 9) -> list[int]:
        found = await log.read_streams(after=after, after_version=version, limit=limit)
        return [each.position for each in found]

    assert await positions(FIRST_STREAM, 0) == [2, 5, 1, 3, 4]
    assert await positions("note-a", 1, 2) == [5, 1]
    assert await positions("note-a", 2**31 - 1) == [1, 3, 4]
    assert await positions("stranger-c", 1) == []


async def test_a_log_with_events_is_not_imported_into(store, log):
    """It stays as it is."""
    await store.append(note("note-1", 0, "a"))
    with pytest.raises(CannotImport, match="has events already"):
        await log.begin_import(OTHER, 5)
    assert (await store.append(note("note-1", 1, "b"))).position == 2


@pytest.mark.parametrize(("identity", "end"), [(OTHER.replace("0", "1"), 5), (OTHER, 6)])
async def test_another_import_does_not_go_on_with_an_unfinished_one(log, identity, end):
    """Neither of another log, nor to another end."""
    await log.begin_import(OTHER, 5)
    with pytest.raises(CannotImport, match="unfinished"):
        await log.begin_import(identity, end)


async def test_of_two_processes_that_import_at_once_one_stops(store, log):
    """Each adds what comes next, or nothing."""
    with pytest.raises(AnotherImport):
        await log.add_events(EVENTS[:1])
    await log.begin_import(OTHER, 5)
    await log.add_events(EVENTS[:2])
    for events in (EVENTS[:2], EVENTS[1:3], EVENTS[3:]):
        with pytest.raises(AnotherImport):
            await log.add_events(events)
    await log.add_events(EVENTS[2:])
    await log.add_streams(STREAMS[:1])
    with pytest.raises(AnotherImport):
        await log.add_streams(STREAMS)
    await log.add_streams(STREAMS[1:])
    await log.finish_import(OTHER)
    with pytest.raises(AnotherImport):
        await log.finish_import(OTHER)
    with pytest.raises(AnotherImport):
        await log.add_streams([Held("note-z", 1, [Claim("title", "z")])])
    await log.discard_import()
    assert await log.head() == 5
    await store.append(note("note-y", 0, "x", claims=[Claim("title", "z")]))


async def test_versions_are_not_repeated(log):
    """Nothing of such a batch is added."""
    await log.begin_import(OTHER, 5)
    with pytest.raises(CannotImport, match="version"):
        await log.add_events([*EVENTS[:2], event(3, "note-b", 1)])
    await log.add_events(EVENTS)


@pytest.mark.parametrize("before", [0, 1])
async def test_two_streams_that_hold_one_claim_are_named(log, before):
    """Beside each other or one after the other; the key may be personal, and is not named."""
    await log.begin_import(OTHER, 5)
    await log.add_events(EVENTS)
    streams = [Held("note-a", 2, [Claim("title", "it")]), Held("note-b", 2, [Claim("title", "it")])]
    await log.add_streams([Held("mine-1", 1, []), *streams[:before]])
    with pytest.raises(CannotImport) as caught:
        await log.add_streams(streams[before:])
    assert str(caught.value) == "The streams note-a and note-b hold one title."


async def test_a_discarded_import_leaves_nothing(store, log):
    """Another file may be imported, and other streams may hold its claims."""
    await log.begin_import(OTHER, 5)
    await log.add_events(EVENTS)
    await log.add_streams(STREAMS)
    own = await log.identity()
    await log.discard_import()

    assert await log.identity() == own != OTHER
    assert await log.begin_import(own, 9) == ImportPlace(0, FIRST_STREAM, 0)
    await log.discard_import()
    await store.append(note("note-z", 0, "x", claims=[Claim("title", "c")]))
