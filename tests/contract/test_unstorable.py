"""A document that MongoDB cannot store is refused, as an event is that cannot be applied."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.adapters.mongo import MongoReadModel
from app.framework.projections import (
    EVERYTHING,
    BuildRecord,
    CannotStore,
    Projection,
    ProjectionState,
    Versioned,
)
from tests.following import QUICK, builds, catch_up, prepare
from tests.notes import NOTES, NoteAdded, NoteWritten, append, folded, new_log, note

LARGEST = 16 * 1024 * 1024
UNSTORABLE = {
    "an integer of it has more than 64 bits": 1 << 64,
    "it is larger than 16 MB": "x" * LARGEST,
    "MongoDB has no type for a value of it, or it has an invalid text": "\ud800",
}


@pytest.fixture(params=["motor", "pymongo"])
async def store(request, mongodb_url, mongodb_database) -> AsyncIterator[MongoReadModel]:
    """A read model, with either driver."""
    read_model = MongoReadModel(mongodb_url, mongodb_database, request.param)
    yield read_model
    await read_model.close()


@pytest.fixture
async def log():
    """Two notes, of which one comes to hold what cannot be stored."""
    log = new_log()
    await append(log, "bad", NoteWritten("begin"))
    await append(log, "good", NoteWritten("begin"))
    await append(log, "bad", NoteAdded("too much"))
    await append(log, "good", NoteAdded("x"))
    await append(log, "bad", NoteAdded("after"))
    return log


def outgrowing(value: Any, *, parks: bool = True) -> Projection:
    """Notes whose fold adds `value` to what is too much."""

    def added(document, recorded, event):
        after = NOTES.handlers[NoteAdded](document, recorded, event)
        return {**(after or {}), "more": value} if event.text == "too much" else after

    return replace(NOTES, handlers={**NOTES.handlers, NoteAdded: added}, parks=parks)


async def build(store: MongoReadModel) -> BuildRecord:
    """The build of the notes."""
    (found,) = await builds(store)
    return found


@pytest.mark.parametrize(("why", "value"), UNSTORABLE.items(), ids=["integer", "size", "text"])
async def test_a_document_that_cannot_be_stored_is_named(store, why, value):
    """The others of the same write do not matter, nor whether it is new; it is not quoted."""
    await prepare(store, NOTES)
    documents = {"n": note("n", 1), "bad": Versioned({"texts": [value]}, 2)}
    for created in ([], ["n", "bad"]):
        with pytest.raises(CannotStore) as caught:
            await store.write(NOTES.id, documents, created=created)
        assert str(caught.value) == f"The document 'bad' of notes_v1 cannot be stored: {why}"
        assert caught.value.__suppress_context__
    with pytest.raises(CannotStore):
        await store.replace(NOTES.id, dict.fromkeys(documents), documents)


async def test_it_is_parked(store, log):
    """The others go on; once the fold is mended it is replayed."""
    status = await catch_up(log, store, outgrowing(1 << 64), replace(QUICK, batch=9))
    assert (status.state, status.position) == (ProjectionState.RUNNING, 5)
    ((found,),) = [(await build(store)).parked]
    assert (found.key, found.position, found.waiting) == ("bad", 3, 2)
    assert "cannot be stored" in found.error
    await store.ask_to_replay(NOTES.id, [EVERYTHING])
    await catch_up(log, store, NOTES)
    assert ((await build(store)).parked, (await build(store)).replay) == ([], [])
    assert await store.load(NOTES.id, ["bad", "good"]) == await folded(log, NOTES)


async def test_a_replay_that_cannot_be_stored_leaves_it_parked(store, log):
    """With why, as it was before; other documents are replayed, and new events applied."""
    await catch_up(log, store, outgrowing(1 << 64))
    await append(log, "good", NoteAdded("y"))
    await store.ask_to_replay(NOTES.id, [EVERYTHING])
    status = await catch_up(log, store, outgrowing("x" * LARGEST))
    assert (status.state, status.position) == (ProjectionState.RUNNING, 6)
    found = await build(store)
    ((parked,), replay) = (found.parked, found.replay)
    assert (parked.key, parked.position, parked.waiting, replay) == ("bad", 3, 2, [])
    assert "it is larger than 16 MB" in parked.error


async def test_a_projection_that_parks_nothing_stops(store, log):
    """After its tries, before the event, with words for operators."""
    status = await catch_up(log, store, outgrowing(1 << 64, parks=False))
    assert (status.state, status.position) == (ProjectionState.STOPPED, 2)
    assert status.error == (
        "CannotStore: The document 'bad' of notes_v1 cannot be stored: an integer of it has more "
        "than 64 bits"
    )
