"""Builds with documents that the log does not lead to, and their comparison with it."""

import itertools
from collections.abc import Mapping

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.projections import Audit, FollowedStore, Projection, Versioned
from tests.notes import NOTES, NoteAdded, NoteErased, NoteWritten, append, folded, new_log
from tests.notes import deleted as deleted_at
from tests.notes import note as written

numbers = itertools.count()

FAR = 1_000_000
"""A position past the end of every log."""


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
