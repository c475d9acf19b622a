"""What every event store promises of idempotency keys, on PostgreSQL and in memory."""

import asyncio
from datetime import timedelta

import pytest

from app.framework.eventsourcing import (
    Append,
    Claim,
    DuplicateCommand,
    Receipt,
    VersionConflict,
)
from app.framework.eventsourcing.retention import MARK_INTERVAL
from app.framework.request import IdempotencyKey
from tests.contract.noted import Noted

AT_ONCE = timedelta(0)
KEY = IdempotencyKey("key", "print")


def noted(stream_id: str, expected_version: int = 0, key: IdempotencyKey | None = KEY, **more):
    """An append of one event under `key`."""
    return Append(stream_id, expected_version, [Noted("x")], idempotency_key=key, **more)


async def test_a_key_is_recorded_with_the_events(store):
    """It says which stream the command led where."""
    assert await store.receipt("key") is None
    await store.append(noted("note-a"))
    assert await store.receipt("key") == Receipt(KEY, "note-a", 1)
    assert await store.receipt("another") is None


async def test_a_key_is_recorded_without_events(store):
    """For a command that changes nothing; the stream and the log stay as they are."""
    await store.append(noted("note-a", key=None))
    await store.append(Append("note-a", 1, [], idempotency_key=KEY))
    assert await store.receipt("key") == Receipt(KEY, "note-a", 1)
    assert (await store.head(), len(await store.load("note-a"))) == (1, 1)
    await store.append(noted("note-a", 1, key=None))
    assert [each.version for each in await store.load("note-a")] == [1, 2]


@pytest.mark.parametrize(
    "again",
    [
        noted("note-a"),
        noted("note-a", 1),
        noted("note-b"),
        noted("note-b", 7),
        noted("note-c", claims=[Claim("text", "taken")]),
        noted("note-a", 1, IdempotencyKey("key", "other print")),
    ],
)
async def test_a_key_is_used_once(store, again):
    """Whatever else is wrong with the second use; the refusal says what the first led to."""
    await store.append(noted("note-z", key=None, claims=[Claim("text", "taken")]))
    await store.append(noted("note-a"))
    with pytest.raises(DuplicateCommand) as refused:
        await store.append(again)
    assert refused.value.receipt == Receipt(KEY, "note-a", 1)
    assert await store.head() == 2


async def test_a_refused_append_records_no_key(store):
    """The command may be sent again, and then succeed."""
    with pytest.raises(VersionConflict):
        await store.append(noted("note-a", 1))
    assert await store.receipt("key") is None
    await store.append(noted("note-a"))


async def test_of_appends_at_once_under_one_key_one_is_recorded(open_store):
    """By whichever process, in whichever batch."""
    stores = [open_store() for _ in range(4)]
    outcomes = await asyncio.gather(
        *(stores[each % 4].append(noted(f"note-{each}")) for each in range(64)),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, DuplicateCommand)]
    assert len(refused) == 63
    assert await stores[0].head() == 1
    (event,) = await stores[0].read(after=0, limit=9)
    assert {each.receipt for each in refused} == {Receipt(KEY, event.stream_id, 1)}


@pytest.mark.parametrize("text", ["💩", "'; drop table receipts; --", "k" * 255])
async def test_any_text_is_a_key(store, text):
    """Nothing in it is taken for anything else."""
    key = IdempotencyKey(text, "print")
    await store.append(noted("note-a", key=key))
    assert await store.receipt(text) == Receipt(key, "note-a", 1)


async def test_old_keys_are_purged(store):
    """Those that enough marks came after, and no others; what they led to stays."""
    await store.append(noted("note-a"))
    assert (await store.purge_receipts(marks=2, interval=AT_ONCE)).receipts == 0
    await store.append(noted("note-b", key=IdempotencyKey("later", "print")))
    assert (await store.purge_receipts(marks=2, interval=AT_ONCE)).receipts == 0
    assert (await store.purge_receipts(marks=2, interval=AT_ONCE)).receipts == 1
    assert (await store.receipt("key"), await store.head()) == (None, 2)
    assert await store.receipt("later")
    assert (await store.purge_receipts(marks=2, interval=AT_ONCE)).receipts == 1
    assert await store.receipt("later") is None


async def test_keys_of_commands_without_events_are_purged(store):
    """Though nothing else is ever appended: neither positions nor the log's time go on."""
    await store.append(noted("note-a", key=None))
    await store.append(Append("note-a", 1, [], idempotency_key=KEY))
    for _ in range(2):
        await store.purge_receipts(marks=1, interval=AT_ONCE)
    assert await store.receipt("key") is None


async def test_more_keys_than_are_purged_at_once_are_purged(store, monkeypatch):
    """All of them."""
    monkeypatch.setattr("app.adapters.postgres.receipts.PURGED_AT_ONCE", 3)
    for number in range(8):
        await store.append(noted(f"note-{number}", key=IdempotencyKey(str(number), "")))
    assert (await store.purge_receipts(marks=0, interval=AT_ONCE)).receipts == 8


async def test_processes_that_look_at_once_make_one_mark(open_store):
    """Or keys would grow old by as many marks as there are processes."""
    stores = [open_store() for _ in range(8)]
    await stores[0].append(noted("note-a"))
    for _ in range(5):
        await asyncio.gather(
            *(each.purge_receipts(marks=1, interval=MARK_INTERVAL) for each in stores)
        )
    assert await stores[0].receipt("key")
