"""The replay of parked documents: what it folds, and what it keeps in memory meanwhile."""

import asyncio
import tracemalloc
from datetime import UTC, datetime

from app.framework.projections import EVERYTHING, Build, Condemned, Parked, Versioned
from app.framework.projections.looking import Look
from app.framework.projections.refold import Refold
from app.framework.projections.replay import Replay
from app.framework.projections.verified_build import VerifiedBuild
from tests.following import WatchedLog, builds, catch_up
from tests.notes import NOTES, NoteAdded, NoteErased, NoteWritten, append, new_log, recorded
from tests.unit.projecting.refusing import refusing


def parked(key: str, position: int) -> Parked:
    """A document that is parked at a position."""
    return Parked(key, position, "cannot apply poison", datetime.now(UTC))


def replay_of(*waiting: Parked, fold=NOTES) -> Replay:
    """A replay of these, none of which is stored."""
    first = min(each.position for each in waiting)
    build = Build(fold, fold.id)
    return Replay(build, [EVERYTHING], {each.key: each for each in waiting}, {}, at=first - 1)


def test_events_before_a_document_was_parked_are_not_applied_again():
    """It was deleted then, and MongoDB has dropped what is left of deleted documents."""
    replay = replay_of(parked("a", 1), parked("b", 4))
    replay.fold(
        [
            recorded(1, "a", NoteWritten("begin")),
            recorded(2, "b", NoteAdded("x"), 2),
            recorded(3, "b", NoteErased(), 3),
            recorded(4, "b", NoteWritten("again"), 4),
        ]
    )
    assert not replay.parked_afterwards(replay.parked)
    assert [each.position for each in replay.documents.values()] == [1, 4]


def test_events_that_wait_again_are_counted_and_not_kept():
    """A document may wait for as many as there are."""
    replay = replay_of(parked("a", 1), fold=refusing("notes", "poison".__eq__))
    tracemalloc.start()
    position = 0
    for _ in range(50):
        events = [recorded(position + each, "a", NoteAdded("poison")) for each in range(1, 501)]
        replay.fold(events)
        position += 500
    del events
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (left,) = replay.parked_afterwards(replay.parked).values()
    assert (left.position, left.waiting) == (1, 25_000)
    assert kept < 1_000_000


async def test_a_log_that_is_restored_during_a_replay_condemns_the_build(log, store):
    """The events to be replayed are gone, and those that wait behind the replay may be, too."""
    await append(log, "a", NoteWritten("begin"), NoteAdded("poison"))
    await catch_up(log, store, refusing("notes", "poison".__eq__, parks=True))
    await store.ask_to_replay(NOTES.id, [EVERYTHING])
    restored = new_log()
    await append(restored, "a", NoteWritten("begin"))
    async with asyncio.timeout(5):
        await catch_up(restored, store, NOTES)
    assert [each.condemned for each in await builds(store)] == [Condemned.LOG_RESTORED]


async def test_a_look_at_documents_reads_no_events_of_others_that_are_parked(log, store):
    """It would read the log from there on, each time it looks."""
    await append(log, "bad", NoteWritten("begin"), NoteAdded("poison"))
    await append(log, "good", NoteWritten("begin"))
    await catch_up(log, store, refusing("notes", "poison".__eq__, parks=True))
    reads = []

    class Log(WatchedLog):
        async def read(self, *, after, limit):
            reads.append(after)
            return await super().read(after=after, limit=limit)

    refold = Refold(NOTES, {"good": Versioned(None, 0)})
    (record,) = await builds(store)
    build = VerifiedBuild(Log(log), store, NOTES, NOTES.id)
    look = Look(build, ["good"], refold, 3, {each.key: each for each in record.parked})
    assert "good" in await look.once()
    assert reads == []
