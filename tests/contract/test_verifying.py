"""A build is compared with a fold of the log, while it is followed."""

import asyncio
from dataclasses import replace

import pytest

from app.framework.projections import Audit, CannotVerify, DifferenceKind, Projection
from app.framework.projections.follower import Follower
from tests.contract.spoiled import numbers, put, some_notes, spoil, stored, verify
from tests.eventful import EventfulStore
from tests.following import QUICK, catch_up, running, take
from tests.notes import NoteAdded, NoteErased, NoteWritten, append, new_log, notes
from tests.notes import note as written
from tests.unit.projecting.refusing import refusing


@pytest.fixture
def projection() -> Projection:
    """Notes under a name that no other test has."""
    return notes(name=f"verified{next(numbers)}")


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
