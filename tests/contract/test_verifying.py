"""A build is compared with a fold of the log, and repaired, while it is followed."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.projections import (
    EVERYTHING,
    Audit,
    CannotVerify,
    DifferenceKind,
    FollowedStore,
    Projection,
    Versioned,
)
from app.framework.projections.follower import Follower
from tests.following import QUICK, Crash, EventfulStore, catch_up, running, take
from tests.notes import (
    LOG,
    NOTES,
    NoteAdded,
    NoteErased,
    NoteWritten,
    append,
    folded,
    new_log,
    notes,
)
from tests.notes import deleted as deleted_at
from tests.notes import note as written
from tests.unit.projecting.refusing import refusing

numbers = itertools.count()

FAR = 1_000_000
"""A position past the end of every log."""


@pytest.fixture
def projection() -> Projection:
    """Notes under a name that no other test has."""
    return notes(name=f"verified{next(numbers)}")


async def some_notes(count: int = 9) -> MemoryEventStore:
    """A log of notes of which every third is erased."""
    log = new_log()
    for number in range(count):
        await append(log, f"{number}", NoteWritten("begin"))
        await append(log, f"{number}", NoteAdded("x") if number % 3 else NoteErased())
    return log


async def put(store: FollowedStore, build: str, documents: Mapping[str, Versioned]) -> None:
    """Store wrong documents, whatever is stored."""
    seen = await store.load(build, documents.keys())
    await store.replace(build, {key: seen.get(key) for key in documents}, documents)


WRONG = {
    "0": written("restored", 2),
    "1": written("other", 4),
    "2": written("other", 5),
    "4": written("other", FAR),
    "5": deleted_at(12),
    "7": deleted_at(FAR),
    "surplus": written("other", 3),
    "future": written("other", FAR),
    "hidden": deleted_at(FAR),
}


async def spoil(store: FollowedStore, build: str) -> None:
    """Make documents of `some_notes` wrong, in each way."""
    await put(store, build, WRONG)


async def stored(store: FollowedStore, build: str) -> dict[str, Versioned]:
    """The documents of a build that are not deleted."""
    found = await store.scan(build, after="", limit=10_000)
    return {key: each for key, each in found.items() if each.document is not None}


async def due(log: MemoryEventStore) -> dict[str, Versioned]:
    """The documents that there should be."""
    return {k: each for k, each in (await folded(log, NOTES)).items() if each.document is not None}


async def verify(log, store, projection: Projection, **options) -> Audit:
    """A finished comparison of the first build."""
    return await Audit(log, store, projection, projection.id, **options).run()


async def test_a_document_is_replaced_where_it_is_at_the_position_seen(read_model, projection):
    """Also by one at an earlier position, and also if it is absent; others stay."""
    await take(read_model, projection)
    await read_model.prepare(projection.id, projection.indexes)
    seens = [None, written("x", 5), deleted_at(5)]
    nows = [None, written("y", 5), written("y", 4), written("y", 6), deleted_at(5)]
    news = [written("new", 3), written("new", 9), deleted_at(3)]
    cases = {f"{number}": each for number, each in enumerate(product(seens, nows, news))}
    before = {key: now for key, (_, now, _) in cases.items() if now is not None}
    await read_model.write(projection.id, before)
    await read_model.replace(
        projection.id,
        {key: seen for key, (seen, _, _) in cases.items()},
        {key: new for key, (_, _, new) in cases.items()},
    )
    as_seen = {
        key: new
        for key, (seen, now, new) in cases.items()
        if (seen and seen.position) == (now and now.position)
    }
    assert await read_model.load(projection.id, cases) == before | as_seen
    assert as_seen


@pytest.mark.parametrize("at_once", [1, 3, 1000])
async def test_nothing_differs_from_what_was_projected(read_model, projection, at_once):
    """However little memory there is; deleted documents may be absent."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    found = await verify(log, read_model, projection, at_once=at_once)
    assert (found.differences, found.is_sound) == ([], True)
    assert (found.events, found.documents, found.position, found.head) == (18, 6, 18, 18)
    assert found.done == found.total


@pytest.mark.parametrize("at_once", [2, 1000])
async def test_every_difference_is_found_and_nothing_is_changed(read_model, projection, at_once):
    """Missing, surplus and other documents, also past the end of the log."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await spoil(read_model, projection.id)
    before = await read_model.scan(projection.id, after="", limit=100)
    found = await verify(log, read_model, projection, at_once=at_once)
    assert {each.key: each.kind for each in found.differences} == {
        "0": DifferenceKind.SURPLUS,
        "1": DifferenceKind.CHANGED,
        "2": DifferenceKind.CHANGED,
        "4": DifferenceKind.CHANGED,
        "5": DifferenceKind.MISSING,
        "7": DifferenceKind.MISSING,
        "surplus": DifferenceKind.SURPLUS,
        "future": DifferenceKind.SURPLUS,
        "hidden": DifferenceKind.SURPLUS,
    }
    assert (found.differing, found.repaired, found.is_sound) == (9, 0, False)
    assert await read_model.scan(projection.id, after="", limit=100) == before


async def test_what_is_said_has_no_content(read_model, projection):
    """Which fields differ, and the positions."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await put(read_model, projection.id, {"1": written("secret", 3)})
    (found,) = (await verify(log, read_model, projection)).differences
    assert str(found) == (
        "1: differs in texts, written_at; stored at position 3, expected at position 4"
    )


@pytest.mark.parametrize("at_once", [2, 1000])
async def test_a_repair_repairs_everything(read_model, projection, at_once):
    """Afterwards nothing differs, and what comes is applied."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await spoil(read_model, projection.id)
    found = await verify(log, read_model, projection, repairs=True, at_once=at_once)
    assert (found.differing, found.repaired, found.is_sound) == (9, 9, True)
    assert all(each.is_repaired for each in found.differences)
    assert await stored(read_model, projection.id) == await due(log)
    for key in (*WRONG, "3"):
        await append(log, key, NoteWritten("again"), NoteAdded("y"))
    await catch_up(log, read_model, projection)
    assert await stored(read_model, projection.id) == await due(log)
    assert (await verify(log, read_model, projection)).is_sound


async def test_a_repair_of_nothing_writes_nothing(read_model, projection):
    """Nor does a repair of a document that is right by the time it is looked at again."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    found = await verify(log, Unwritable(read_model), projection, repairs=True)
    assert found.is_sound


class Unwritable(EventfulStore):
    """A read model that fails when a document is replaced."""

    def __init__(self, store) -> None:
        """What it stores is in `store`."""

        async def nothing(_: str) -> None:
            return

        super().__init__(store, nothing)

    async def replace(self, *_) -> None:
        """Fail."""
        raise AssertionError("It writes.")


async def test_documents_ahead_of_the_checkpoint_are_folded_further(read_model, projection):
    """Those that a batch has written before its checkpoint: they are compared like all others."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    for key in ("1", "2", "new", "new too"):
        await append(log, key, NoteWritten("again"), NoteAdded("y"))
    written_ahead = asyncio.Event()

    async def halt(step: str) -> None:
        if step == "after write":
            written_ahead.set()
            await asyncio.Event().wait()

    build, lease = await take(read_model, projection)
    options = replace(QUICK, batch=100)
    follower = Follower(log, EventfulStore(read_model, halt), build, lease, options)
    async with running(follower.run()):
        await written_ahead.wait()
    await read_model.release(lease)
    found = await verify(log, read_model, projection)
    assert (found.position, found.differences) == (18, [])
    for key, kind in {"2": DifferenceKind.CHANGED, "new": DifferenceKind.CHANGED}.items():
        (seen,) = (await read_model.load(projection.id, [key])).values()
        await put(read_model, projection.id, {key: written("other", seen.position)})
        assert [
            (each.key, each.kind)
            for each in (await verify(log, read_model, projection)).differences
        ] == [(key, kind)]
        await put(read_model, projection.id, {key: seen})


async def test_a_sample_finds_what_is_in_it(read_model, projection):
    """About so many percent of the documents, others each time."""
    log = await some_notes(200)
    await catch_up(log, read_model, projection, replace(QUICK, batch=1000))
    documents = await stored(read_model, projection.id)
    await put(
        read_model, projection.id, {k: written("x", each.position) for k, each in documents.items()}
    )
    found = [await verify(log, read_model, projection, sample=20) for _ in range(2)]
    for each in found:
        assert 5 < each.differing == each.documents < 60
    first, second = ({every.key for every in each.differences} for each in found)
    assert first != second


async def test_a_parked_document_does_not_differ(read_model, projection):
    """It is compared with a fold up to where it is parked, and listed."""
    log = new_log()
    broken = refusing(projection.name, "poison".__eq__, parks=True)
    for key in ("bad", "good"):
        await append(log, key, NoteWritten("begin"), NoteAdded("x"))
    await append(log, "bad", NoteAdded("poison"), NoteAdded("after"))
    await catch_up(log, read_model, broken)
    for fold in (broken, projection):
        found = await verify(log, read_model, fold)
        assert found.is_sound
        assert [(each.key, each.position) for each in found.parked] == [("bad", 5)]
    await put(read_model, projection.id, {"bad": written("other", 2)})
    assert (await verify(log, read_model, broken)).differing == 1
    assert (await verify(log, read_model, broken, repairs=True)).is_sound
    assert (await read_model.get(projection.name, "bad")).document["texts"] == ["begin", "x"]


async def test_a_document_that_this_fold_refuses_is_not_repaired(read_model, projection):
    """It is said why; the others are."""
    log = new_log()
    await append(log, "bad", NoteWritten("begin"), NoteAdded("poison"))
    await append(log, "good", NoteWritten("begin"))
    await catch_up(log, read_model, projection)
    await put(read_model, projection.id, {"good": written("other", 3)})
    broken = refusing(projection.name, "poison".__eq__, parks=True)
    found = await verify(log, read_model, broken, repairs=True)
    assert (found.differing, found.repaired) == (2, 1)
    (left,) = (each for each in found.differences if not each.is_repaired)
    assert (left.key, left.kind) == ("bad", DifferenceKind.REFUSED)
    assert "ValueError: cannot apply poison" in left.detail


async def test_a_build_that_is_behind_is_compared_up_to_its_checkpoint(read_model, projection):
    """If no process follows it, that is at once."""
    log = await some_notes()
    await catch_up(log, read_model, projection)
    _, lease = await take(read_model, projection)
    await read_model.release(lease)
    await append(log, "1", NoteErased())
    found = await verify(log, read_model, projection)
    assert (found.is_sound, found.position, found.head) == (True, 18, 19)


async def test_a_build_ahead_of_its_log_cannot_be_verified(read_model, projection):
    """It was built from another one; neither can one that is not there."""
    await catch_up(await some_notes(), read_model, projection)
    with pytest.raises(CannotVerify, match="at position 18, but the log ends at 2"):
        await verify(await some_notes(1), read_model, projection, repairs=True)
    with pytest.raises(CannotVerify, match="no build other"):
        await Audit(await some_notes(1), read_model, projection, "other").run()


async def test_a_gap_in_the_log_is_a_difference(read_model, projection):
    """Of positions, and of the versions of a stream."""
    log = await some_notes()
    await catch_up(log, read_model, projection)

    class Gappy:
        async def read(self, *, after: int, limit: int):
            events = await log.read(after=after, limit=limit)
            return [each for each in events if each.position != 4]

        head = staticmethod(log.head)

    await append(log, "1", NoteAdded("later"))
    await catch_up(log, read_model, projection)
    found = await verify(Gappy(), read_model, projection, at_once=2)
    gaps = [str(each) for each in found.differences if each.kind is DifferenceKind.LOG]
    assert sorted(gaps) == [
        "note-1: the stream has version 3 where 2 is expected",
        "the log has no event between positions 3 and 5",
    ]


BUSY = "12457"


@pytest.mark.parametrize(("kind", "seed"), [("notes", 0), ("notes", 1), ("notes", 2), ("log", 3)])
async def test_a_repair_beside_a_follower_leaves_what_the_log_leads_to(read_model, kind, seed):
    """Under load on the same documents, which the follower may have loaded when they were wrong."""
    chance = random.Random(seed)
    projection = replace(NOTES if kind == "notes" else LOG, name=f"raced{next(numbers)}")
    log = await some_notes()
    await catch_up(log, read_model, projection)

    async def lose_time(_: str) -> None:
        await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003]))

    async def load() -> None:
        for number in range(150):
            what = [NoteErased(), NoteWritten("w")] if chance.random() < 0.1 else []
            await append(log, chance.choice(BUSY), *what, NoteAdded(f"{number}"))
            await asyncio.sleep(chance.choice([0, 0.001, 0.005]))

    async def spoil_more() -> None:
        for _ in range(8):
            key = chance.choice([*BUSY, "8"])
            key = key if kind == "notes" else f"{key}:{chance.randint(1, 3)}"
            found = (await read_model.load(projection.id, [key])).get(key)
            position = chance.choice([1, FAR, found.position if found else 1])
            wrong = chance.choice([written("wrong", position), deleted_at(position)])
            await read_model.replace(projection.id, {key: found}, {key: wrong})
            await asyncio.sleep(chance.choice([0, 0.002, 0.01]))

    build, lease = await take(read_model, projection)
    store = EventfulStore(read_model, lose_time)
    options = replace(QUICK, batch=chance.randint(1, 8))
    follower = Follower(log, store, build, lease, options)
    async with running(follower.run()) as following:
        async with running(load()):
            await spoil_more()
            found = await verify(log, read_model, projection, repairs=True, at_once=5)
        assert found.is_sound, found.differences
        follower.stop()
        await following
    # A document that was missing may have been parked.
    await read_model.ask_to_replay(projection.id, [EVERYTHING])
    await catch_up(log, read_model, projection, replace(QUICK, batch=100))
    expected = await folded(log, projection)
    assert await stored(read_model, projection.id) == {
        key: each for key, each in expected.items() if each.document is not None
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_repair_that_is_killed_can_be_repeated(read_model, projection, seed):
    """At any step: what is repaired stays, and the rest is repaired then."""
    chance = random.Random(seed)
    log = await some_notes()
    await catch_up(log, read_model, projection)
    await spoil(read_model, projection.id)
    for _ in range(5):
        countdown = iter([False] * chance.randrange(12) + [True])

        async def killed_in_time(_: str, countdown=countdown) -> None:
            if next(countdown, False):
                raise Crash

        with contextlib.suppress(Crash):
            killed = EventfulStore(read_model, killed_in_time)
            await verify(log, killed, projection, repairs=True, at_once=3)
    assert (await verify(log, read_model, projection, repairs=True)).is_sound
    assert await stored(read_model, projection.id) == await due(log)
