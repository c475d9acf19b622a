"""What every read model promises of checkpoints, versions and statuses."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.memory.read_model import MemoryReadModel
from app.framework.projections import Index, PageRequest, ProjectionState
from tests.following import prepare, save, serve, statuses
from tests.notes import NOTES, note, notes, status

BY_TIME = PageRequest(equals={"shelf": "a"}, sort="written_at", limit=100)


async def test_a_new_projection_begins_at_the_beginning(read_model):
    """Its checkpoint is 0, however often it is prepared."""
    assert await prepare(read_model, NOTES) == 0
    assert await prepare(read_model, NOTES) == 0


async def test_a_checkpoint_is_there_for_the_next_projector(open_read_model):
    """It is where `save` left it, for this version of the projection."""
    first = open_read_model()
    await prepare(first, NOTES)
    await save(first, NOTES, status(NOTES, 7))
    assert await prepare(open_read_model(), NOTES) == 7
    assert await prepare(open_read_model(), notes(version=2)) == 0


async def test_a_checkpoint_never_goes_back(prepared):
    """Nor does the head; a status without a position leaves the one that is stored."""
    await save(prepared, NOTES, status(NOTES, 7, head=9))
    await save(prepared, NOTES, status(NOTES, 5, head=5))
    await save(prepared, NOTES, status(NOTES, None, head=None, error="KeyError: x"))
    assert await prepare(prepared, NOTES) == 7
    (found,) = await statuses(prepared)
    assert (found.position, found.head, found.error) == (7, 9, "KeyError: x")


async def test_projectors_that_prepare_at_once_agree(open_read_model):
    """The version that serves is one of theirs, and the checkpoint starts once."""
    projections = [notes(version=1 + each % 2) for each in range(12)]
    positions = await asyncio.gather(*(open_read_model().prepare(each) for each in projections))
    assert positions == [0] * 12
    assert [each.version for each in await statuses(open_read_model())] == [1, 2]


async def test_a_new_version_is_built_beside_the_one_that_serves(prepared, open_read_model):
    """Queries read the old one until the new one serves, then the new one within a second."""
    second, reader = notes(version=2), open_read_model()
    await prepared.write(NOTES.id, {"n": note("old", 1)})
    await prepare(prepared, second)
    await prepared.write(second.id, {"n": note("new", 1)})
    assert (await reader.get("notes", "n")).document["texts"] == ["old"]
    assert await prepared.load(NOTES.id, ["n"]) == {"n": note("old", 1)}
    await serve(prepared, second)
    await serve(prepared, NOTES)
    async with asyncio.timeout(1.5):
        while (await reader.get("notes", "n")).document["texts"] == ["old"]:
            pass
    (paged,) = await reader.page("notes", BY_TIME)
    assert paged.document["texts"] == ["new"]


async def test_a_process_that_switches_versions_sees_it_at_once(prepared):
    """It does not wait for what it knew to grow old."""
    await prepared.write(NOTES.id, {"n": note("old", 1)})
    assert (await prepared.get("notes", "n")).document["texts"] == ["old"]
    second = notes(version=2)
    await prepare(prepared, second)
    await prepared.write(second.id, {"n": note("new", 1)})
    await serve(prepared, second)
    assert (await prepared.get("notes", "n")).document["texts"] == ["new"]


async def test_an_old_version_does_not_serve_again(read_model):
    """A projector of an older release leaves queries where they are."""
    second = notes(version=2)
    await prepare(read_model, second)
    await prepare(read_model, NOTES)
    await serve(read_model, NOTES)
    await read_model.write(NOTES.id, {"n": note("old", 1)})
    await read_model.write(second.id, {"n": note("new", 1)})
    assert (await read_model.get("notes", "n")).document["texts"] == ["new"]


async def test_a_view_that_no_projector_made_is_empty(open_read_model):
    """And is seen as soon as there is one."""
    reader, writer = open_read_model(), open_read_model()
    assert await reader.get("notes", "n") is None
    assert await reader.page("notes", BY_TIME) == []
    assert await reader.statuses() == []
    await prepare(writer, NOTES)
    await writer.write(NOTES.id, {"n": note("x", 1)})
    assert (await reader.get("notes", "n")).key == "n"


async def test_views_are_apart(prepared):
    """Each has documents and a checkpoint of its own."""
    other = notes(name="others")
    await prepare(prepared, other)
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    await save(prepared, NOTES, status(NOTES, 1))
    assert await prepared.get("others", "n") is None
    assert await prepare(prepared, other) == 0


async def test_a_status_is_read_as_it_was_saved(prepared):
    """With all its fields but its time; the statuses are in order of name and version."""
    stopped = {"state": ProjectionState.STOPPED, "error": "ValueError: x"}
    saved = [
        status(NOTES, 5, head=9),
        status(notes(version=2), 3, head=9, **stopped),
        status(notes(name="a"), 9),
    ]
    for each in saved:
        await save(prepared, notes(name=each.name, version=each.version), each)
    found = [replace(each, seen_at=None) for each in await statuses(prepared)]
    assert found == [replace(saved[each], seen_at=None) for each in (2, 0, 1)]


@pytest.mark.parametrize("off", [-120, 120])
async def test_who_is_absent_is_judged_by_the_clock_of_the_store(prepared, off):
    """Not by that of the projector's process, nor by the reader's: either may be wrong."""
    wrong = datetime.now(UTC) + timedelta(seconds=off)
    await save(prepared, NOTES, status(NOTES, 5, seen_at=wrong))
    (found,) = await statuses(prepared)
    assert found.state is ProjectionState.RUNNING
    assert abs(datetime.now(UTC) - found.seen_at) < timedelta(seconds=5)


async def test_a_projector_that_has_only_prepared_is_not_absent(prepared):
    """It was there just now."""
    (found,) = await statuses(prepared)
    assert found.state is ProjectionState.RUNNING


async def let_pass(read_model, seconds: float) -> None:
    """Have all that was said to `read_model` be older by so many seconds."""
    if isinstance(read_model, MemoryReadModel):
        for each in read_model._stored.values():
            assert each.status.seen_at
            earlier = each.status.seen_at - timedelta(seconds=seconds)
            each.status = replace(each.status, seen_at=earlier)
        return
    since = {"startDate": "$seen_at", "unit": "second", "amount": seconds}
    await read_model._client.primary("projections").update_many(
        {"seen_at": {"$exists": True}}, [{"$set": {"seen_at": {"$dateSubtract": since}}}]
    )


@pytest.mark.parametrize("state", [ProjectionState.RUNNING, ProjectionState.RETRYING])
async def test_a_projector_not_heard_of_is_absent(prepared, state):
    """After 15 s of silence; what it last said of its position and error stays."""
    for seconds, seen in ((10, state), (20, ProjectionState.ABSENT)):
        await save(prepared, NOTES, status(NOTES, 5, state=state, error="x"))
        await let_pass(prepared, seconds)
        (found,) = await statuses(prepared)
        assert (found.state, found.position, found.error) == (seen, 5, "x")


async def test_a_stopped_projection_stays_so(prepared):
    """However long ago it stopped."""
    await save(prepared, NOTES, status(NOTES, 5, state=ProjectionState.STOPPED))
    await let_pass(prepared, 24 * 3600)
    (found,) = await statuses(prepared)
    assert found.state is ProjectionState.STOPPED


async def test_a_read_model_keeps_the_identity_of_its_log(open_read_model):
    """The first it is given; of processes that give it one at once, all hear the same."""
    assert await open_read_model().log_identity() is None
    given = await asyncio.gather(*(open_read_model().adopt(f"log {each}") for each in range(6)))
    (kept,) = set(given)
    assert await open_read_model().adopt("log x") == kept
    assert await open_read_model().log_identity() == kept


async def test_indexes_may_be_added_to_a_projection_that_is_there(prepared):
    """Its next projector adds them."""
    more = replace(NOTES, indexes=(*NOTES.indexes, Index(("x",))))
    assert await prepare(prepared, more) == 0
