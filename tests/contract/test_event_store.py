"""What every event store promises, on PostgreSQL and in memory."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.framework.eventsourcing import (
    Append,
    Claim,
    ClaimTaken,
    Metadata,
    UndecodableEvent,
    UnknownEvent,
    VersionConflict,
)
from app.framework.eventsourcing.store import LOADED_AT_ONCE
from tests.contract.noted import Moody, Noted, Store, Stranger, note


async def test_appended_events_are_loaded_as_they_were(store):
    """A stream comes back with its payloads, metadata, versions and times."""
    metadata = Metadata(correlation_id="request", causation_id="command", actor="alice")
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    payloads = [Noted('Zoë 🎨 "quoted" $where \\ \n', 2**40), Noted(None)]
    appended = await store.append(Append("note-1", 0, payloads, metadata))

    first, second = await store.load("note-1")

    assert [first.event, second.event] == payloads
    assert (first.version, second.version, appended.version) == (1, 2, 2)
    assert second.position == first.position + 1 == appended.position
    assert first.metadata == second.metadata == metadata
    assert first.stream_id == "note-1"
    assert first.aggregate_id == "1"
    assert first.recorded_at == second.recorded_at == appended.recorded_at
    assert before <= first.recorded_at <= datetime.now(UTC)
    assert first.recorded_at.microsecond % 1000 == 0


async def test_load_starts_past_a_version(store):
    """Only the events past `after_version` are loaded; past the last there are none."""
    await store.append(note("note-1", 0, "a", "b", "c"))

    tail = await store.load("note-1", after_version=1)

    assert [each.event.text for each in tail] == ["b", "c"]
    assert await store.load("note-1", after_version=3) == []
    assert await store.load("note-2") == []


async def test_a_long_stream_is_loaded_some_events_at_a_time(store):
    """Up to a bound, so that no stream is too long; up to a version, where that is nearer."""
    texts = [str(number) for number in range(1, LOADED_AT_ONCE + 51)]
    await store.append(note("note-1", 0, *texts))
    await store.append(note("note-2", 0, "other"))

    async def loaded(**span):
        events = await store.load("note-1", **span)
        assert [each.event.text for each in events] == [str(each.version) for each in events]
        return (events[0].version, events[-1].version) if events else None

    assert await loaded() == (1, LOADED_AT_ONCE)
    assert await loaded(after_version=LOADED_AT_ONCE) == (LOADED_AT_ONCE + 1, len(texts))
    assert await loaded(after_version=len(texts)) is None
    assert await loaded(up_to_version=7) == (1, 7)
    assert await loaded(after_version=5, up_to_version=7) == (6, 7)
    assert await loaded(after_version=7, up_to_version=7) is None
    first, second = await asyncio.gather(store.load("note-1"), store.load("note-2"))
    assert (len(first), len(second)) == (LOADED_AT_ONCE, 1)


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_an_append_on_another_version_is_a_conflict(store, expected):
    """The expected version is exactly the stream's, or nothing is recorded."""
    await store.append(note("note-1", 0, "a", "b"))

    with pytest.raises(VersionConflict) as conflict:
        await store.append(note("note-1", expected, "late"))

    assert (conflict.value.expected, conflict.value.actual) == (expected, 2)
    assert await store.head() == 2


async def test_a_stream_that_does_not_exist_is_at_version_0(store):
    """Expecting a version of a stream that is not there is a conflict too."""
    with pytest.raises(VersionConflict):
        await store.append(note("note-1", 1, "a"))
    assert await store.head() == 0


async def test_a_claim_belongs_to_one_stream_at_a_time(store):
    """A claim that another stream holds refuses the append, until it is released."""
    claim = Claim("email", "alice@example.com")
    await store.append(note("note-1", 0, "a", claims=[claim]))

    with pytest.raises(ClaimTaken) as taken:
        await store.append(note("note-2", 0, "b", claims=[Claim("email", "free"), claim]))
    assert taken.value.claim == claim
    assert await store.load("note-2") == []

    await store.append(note("note-1", 1, "c", releases=[claim], claims=[Claim("email", "bob")]))
    # The refused append took nothing, not even the claim that was free.
    await store.append(note("note-3", 0, "d", claims=[Claim("email", "free")]))
    await store.append(note("note-2", 0, "b", claims=[claim]))
    with pytest.raises(ClaimTaken):
        await store.append(note("note-4", 0, "e", claims=[Claim("email", "bob")]))


async def test_claims_of_different_scopes_do_not_meet(store):
    """The same key in another scope is another claim."""
    await store.append(note("note-1", 0, "a", claims=[Claim("email", "x")]))
    await store.append(note("note-2", 0, "a", claims=[Claim("phone", "x")]))
    assert await store.head() == 2


async def test_a_stream_may_claim_again_what_it_holds(store):
    """Taking a claim twice is no conflict with oneself."""
    claim = Claim("email", "x")
    await store.append(note("note-1", 0, "a", claims=[claim]))
    await store.append(note("note-1", 1, "b", claims=[claim]))
    assert await store.head() == 2


async def test_another_stream_cannot_release_a_claim(store):
    """Releasing what one does not hold leaves it with its holder."""
    claim = Claim("email", "x")
    await store.append(note("note-1", 0, "a", claims=[claim]))
    await store.append(note("note-2", 0, "b", releases=[claim]))
    with pytest.raises(ClaimTaken):
        await store.append(note("note-3", 0, "c", claims=[claim]))


async def test_of_many_claimants_at_once_one_wins(store):
    """64 appends want one claim at the same time: one is recorded, 63 are refused."""
    claim = Claim("email", "x")
    outcomes = await asyncio.gather(
        *(store.append(note(f"note-{each}", 0, "a", claims=[claim])) for each in range(64)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ClaimTaken) for each in outcomes) == 63
    assert await store.head() == 1


async def test_of_many_appends_on_one_version_one_wins(open_store):
    """Writers in several processes that expect the same version: one is recorded."""
    stores = [open_store() for _ in range(4)]
    outcomes = await asyncio.gather(
        *(each.append(note("note-1", 0, "a")) for each in stores for _ in range(16)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, VersionConflict) for each in outcomes) == 63
    assert len(await stores[0].load("note-1")) == 1


async def test_a_refused_append_leaves_those_beside_it_alone(store):
    """Of appends that go out together, each has its own outcome."""
    await store.append(note("note-taken", 0, "a", claims=[Claim("email", "x")]))
    outcomes = await asyncio.gather(
        store.append(note("note-1", 0, "a")),
        store.append(note("note-2", 7, "conflict")),
        store.append(note("note-3", 0, "a", claims=[Claim("email", "x")])),
        store.append(note("note-4", 0, "a", "b")),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in outcomes] == [
        "Appended",
        "VersionConflict",
        "ClaimTaken",
        "Appended",
    ]
    assert [each.stream_id for each in await store.read(after=1, limit=10)] == [
        "note-1",
        "note-4",
        "note-4",
    ]


async def test_appends_that_go_out_together_see_each_other(store):
    """Two appends in one batch that expect the same version: the second is refused."""
    outcomes = await asyncio.gather(
        store.append(note("note-1", 0, "first")),
        store.append(note("note-1", 0, "second")),
        store.append(note("note-1", 1, "third")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], VersionConflict)
    assert [each.event.text for each in await store.load("note-1")] == ["first", "third"]


async def test_positions_are_dense_and_in_the_order_of_the_versions(open_store):
    """Random appends from several processes leave no hole, in the log or in any stream."""
    chance = random.Random(20)
    stores = [open_store() for _ in range(3)]

    async def write(store: Store, writer: int) -> None:
        for turn in range(40):
            stream = f"note-{chance.randrange(6)}"
            version = len(await store.load(stream))
            texts = [f"{writer}/{turn}/{each}" for each in range(chance.randrange(1, 4))]
            try:
                await store.append(note(stream, version, *texts))
            except VersionConflict:
                continue

    await asyncio.gather(*(write(store, writer) for writer in range(4) for store in stores))

    log = await stores[0].read(after=0, limit=10_000)
    assert [each.position for each in log] == list(range(1, len(log) + 1))
    assert await stores[0].head() == len(log)
    assert [each.recorded_at for each in log] == sorted(each.recorded_at for each in log)
    versions: dict[str, list[int]] = {}
    for each in log:
        versions.setdefault(each.stream_id, []).append(each.version)
    assert all(each == list(range(1, len(each) + 1)) for each in versions.values())


async def test_a_reader_that_follows_the_log_misses_nothing(open_store):
    """Read while others append, from where the last read ended: every position once, in order."""
    stores = [open_store() for _ in range(4)]
    seen: list[int] = []

    async def write(store: Store, writer: int) -> None:
        for each in range(50):
            await store.append(note(f"note-{writer}-{each}", 0, "a", "b"))

    async def follow(store: Store) -> None:
        while len(seen) < 300 * 2:
            events = await store.read(after=seen[-1] if seen else 0, limit=37)
            seen.extend(each.position for each in events)

    async with asyncio.timeout(60):
        await asyncio.gather(
            follow(stores[3]), *(write(stores[each % 3], each) for each in range(6))
        )
    assert seen == list(range(1, 601))


async def test_the_log_is_read_from_a_position_up_to_a_limit(store):
    """`after` is exclusive and `limit` holds."""
    await store.append(note("note-1", 0, *"abcde"))
    assert [each.event.text for each in await store.read(after=1, limit=3)] == ["b", "c", "d"]
    assert await store.read(after=5, limit=3) == []


async def test_an_event_that_is_not_registered_is_refused(store):
    """A class that could not be decoded again is never stored."""
    with pytest.raises(UnknownEvent):
        await store.append(Append("note-1", 0, [Stranger()]))
    assert await store.head() == 0


async def test_waiting_ends_with_an_append_of_this_process(store):
    """A wait ends at once when the log has grown past the position, or as soon as it grows."""
    async with asyncio.timeout(5):
        waiting = asyncio.create_task(store.wait(after=0, seconds=60))
        await asyncio.sleep(0)
        await store.append(note("note-1", 0, "a"))
        await waiting
        await store.wait(after=0, seconds=60)


async def test_waiting_ends_after_its_time(store):
    """With nothing appended a wait returns by itself."""
    async with asyncio.timeout(5):
        await store.wait(after=0, seconds=0.01)


async def test_a_stream_that_cannot_be_decoded_fails_alone(store):
    """Streams that are loaded at the same time are loaded, and the log shows where it is."""
    await store.append(note("note-1", 0, "a"))
    Moody.seen = False
    await store.append(Append("note-2", 0, [Moody("bad")]))
    await store.append(note("note-3", 0, "c"))
    loads = (store.load(f"note-{each}") for each in (1, 2, 3))
    first, second, third = await asyncio.gather(*loads, return_exceptions=True)
    assert isinstance(second, UndecodableEvent)
    assert not isinstance(first, BaseException)
    assert not isinstance(third, BaseException)
    assert [first[0].event.text, third[0].event.text] == ["a", "c"]
    with pytest.raises(UndecodableEvent):
        await store.read(after=1, limit=1)
    assert [each.position for each in await store.read(after=2, limit=1)] == [3]


async def test_a_log_has_one_identity(open_store):
    """The same in every process."""
    identities = {await open_store().identity() for _ in range(3)}
    assert len(identities) == 1
    UUID(identities.pop())
