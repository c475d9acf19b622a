"""What every read model promises of builds: which there are, and which of them serves."""

import asyncio
from dataclasses import replace

import pytest

from app.framework.projections import (
    Build,
    BuildRecord,
    BuildState,
    Comparison,
    Index,
    PageRequest,
    Projection,
    ProjectionRecord,
    ProjectionState,
    TakeOver,
)
from tests.following import prepare, save, serve, statuses, take
from tests.notes import NOTES, note, notes, status

BY_TIME = PageRequest(equals={"shelf": "a"}, sort="written_at", limit=100)

SECOND = notes(version=2)


async def record(store, name: str = "notes") -> ProjectionRecord:
    """What is stored of a projection."""
    (found,) = [each for each in await store.projections() if each.name == name]
    return found


async def builds(store) -> dict[str, BuildState]:
    """The builds of the notes, and what each is for."""
    return {each.id: each.state for each in (await record(store)).builds}


async def begun(store, projection: Projection, known: int, key: str | None = None) -> str:
    """The id of a build that was begun beside `known` others."""
    build = await store.begin(projection, take_over=TakeOver.ON_REQUEST, known=known, key=key)
    assert build is not None
    return build


async def test_the_first_build_of_a_projection_serves_at_once(read_model):
    """Under the number 1; others are built beside it."""
    assert await read_model.projections() == []
    assert await begun(read_model, NOTES, 0) == NOTES.id
    assert await begun(read_model, SECOND, 1) == SECOND.id
    found = await record(read_model)
    assert (found.serving, found.yielded, found.paused) == (NOTES.id, None, False)
    assert [(each.number, each.version, each.state) for each in found.builds] == [
        (1, 1, BuildState.SERVING),
        (2, 2, BuildState.BUILDING),
    ]
    assert [each.take_over for each in found.builds] == [TakeOver.ON_REQUEST] * 2


async def test_a_second_build_of_a_version_has_a_name_of_its_own(read_model):
    """Its documents are not those of the first, nor of one that was retired."""
    ids = [await begun(read_model, NOTES, known) for known in range(3)]
    assert len(set(ids)) == 3
    assert await read_model.retire("notes", ids[1])
    assert await begun(read_model, NOTES, 3) not in ids
    await read_model.write(ids[0], {"n": note("first", 1)})
    assert await read_model.load(ids[2], ["n"]) == {}


@pytest.mark.parametrize("known", [0, 2])
async def test_of_processes_that_begin_a_build_at_once_one_does(open_read_model, known):
    """The others learn that they did not know all builds."""
    for each in range(known):
        await begun(open_read_model(), NOTES, each)
    answers = await asyncio.gather(
        *(
            open_read_model().begin(NOTES, take_over=TakeOver.WHEN_EQUAL, known=known)
            for _ in range(8)
        )
    )
    assert len([each for each in answers if each is not None]) == 1
    assert len(await builds(open_read_model())) == known + 1


async def test_a_repeat_under_one_key_begins_nothing(read_model):
    """It is told the same id, whatever has been begun since."""
    first = await begun(read_model, NOTES, 0)
    rebuild = await begun(read_model, NOTES, 1, key="k")
    assert await begun(read_model, NOTES, 1, key="k") == rebuild != first
    await begun(read_model, NOTES, 2, key="l")
    assert await begun(read_model, NOTES, 3, key="k") == rebuild
    assert len(await builds(read_model)) == 3


async def test_a_build_is_switched_to_only_from_the_one_that_serves(read_model):
    """Of two who switch at once, one wins; the one before is kept, and is served again."""
    first, second = await begun(read_model, NOTES, 0), await begun(read_model, SECOND, 1)
    third = await begun(read_model, NOTES, 2)
    assert not await read_model.switch("notes", serving=second, to=third)
    assert not await read_model.switch("notes", serving=first, to="notes_v9")
    answers = await asyncio.gather(
        *(read_model.switch("notes", serving=first, to=each) for each in (second, third))
    )
    assert sorted(answers) == [False, True]
    serving = (await record(read_model)).serving
    assert serving == (second if answers[0] else third)
    assert (await builds(read_model))[first] is BuildState.KEPT
    assert await read_model.switch("notes", serving=serving, to=first)
    found = await record(read_model)
    assert (found.serving, found.yielded) == (first, None)
    assert (await builds(read_model))[serving] is BuildState.KEPT
    assert found.switched_seconds is not None
    assert found.switched_seconds < 5


async def test_a_switch_that_was_decided_before_another_is_refused(read_model):
    """Though the same build serves again: an operator has gone back to it meanwhile."""
    first, second = await begun(read_model, NOTES, 0), await begun(read_model, SECOND, 1)
    seen = (await record(read_model)).switches
    assert seen == 0
    assert await read_model.switch("notes", serving=first, to=second, switches=seen)
    assert await read_model.switch("notes", serving=second, to=first)
    assert not await read_model.switch("notes", serving=first, to=second, switches=seen)
    assert not await read_model.switch("notes", serving=first, to=second, switches=1)
    assert await read_model.switch("notes", serving=first, to=second, switches=2)


async def test_a_build_that_yields_is_remembered(read_model):
    """Until there is another switch."""
    first, second = await begun(read_model, NOTES, 0), await begun(read_model, SECOND, 1)
    assert await read_model.switch("notes", serving=first, to=second, yields=True)
    assert (await record(read_model)).yielded == first
    assert await read_model.switch("notes", serving=second, to=first)
    assert (await record(read_model)).yielded is None


async def test_a_build_that_serves_is_not_retired(read_model):
    """Others are, for good; then their documents can be dropped."""
    first, second = await begun(read_model, NOTES, 0), await begun(read_model, SECOND, 1)
    assert not await read_model.retire("notes", first)
    assert not await read_model.retire("notes", "notes_v9")
    assert await read_model.retire("notes", second)
    assert not await read_model.switch("notes", serving=first, to=second)
    assert await builds(read_model) == {first: BuildState.SERVING, second: BuildState.RETIRED}
    await read_model.write(second, {"n": note("x", 1)})
    await read_model.drop("notes", second)
    assert await read_model.load(second, ["n"]) == {}
    assert [each.is_dropped for each in (await record(read_model)).builds] == [False, True]


async def test_a_projection_is_paused_and_resumed(open_read_model):
    """All processes see it; one that is unknown cannot be."""
    one, other = open_read_model(), open_read_model()
    await begun(one, NOTES, 0)
    for paused in (True, False):
        assert await one.pause("notes", paused=paused)
        found = await record(other)
        assert found.paused is paused
        await other.positions()
        assert other.is_paused("notes") is paused
    assert not await one.pause("others", paused=True)
    assert not one.is_paused("others")


async def test_what_is_noted_of_a_build_is_there_for_the_next_holder(open_read_model):
    """Its state, how it compared, and whether it has caught up."""
    store = open_read_model()
    await begun(store, NOTES, 0)
    build, lease = await take(store, SECOND)
    compared = Comparison(7, 2, ["a", "b"])
    await store.note(lease, state=BuildState.COMPARING, has_caught_up=True)
    assert (await builds(store))[build.id] is BuildState.COMPARING
    await store.note(lease, state=BuildState.READY, comparison=compared)
    found = (await record(open_read_model())).build(build.id)
    assert found is not None
    assert (found.state, found.comparison, found.has_caught_up) == (
        BuildState.READY,
        compared,
        True,
    )


async def test_a_status_is_read_as_it_was_saved(prepared):
    """With its rate, and all its fields but its time."""
    stopped = status(SECOND, 3, head=9, state=ProjectionState.STOPPED, error="ValueError: x")
    _, lease = await take(prepared, SECOND)
    await prepared.save(lease, stopped, rate=17.5)
    await save(prepared, NOTES, status(NOTES, 5, head=9))
    found = [replace(each, seen_at=None) for each in await statuses(prepared)]
    assert found == [
        replace(status(NOTES, 5, head=9), seen_at=None),
        replace(stopped, seen_at=None),
    ]
    assert (await record(prepared)).builds[1].rate == 17.5


async def test_queries_read_the_build_that_serves(prepared, open_read_model):
    """The new one within a second; in the process that switched at once."""
    reader = open_read_model()
    await prepared.write(NOTES.id, {"n": note("old", 1)})
    await prepare(prepared, SECOND)
    await prepared.write(SECOND.id, {"n": note("new", 1)})
    for each in (prepared, reader):
        assert (await each.get("notes", "n")).document["texts"] == ["old"]
    assert await prepared.load(NOTES.id, ["n"]) == {"n": note("old", 1)}
    assert await serve(prepared, SECOND)
    assert (await prepared.get("notes", "n")).document["texts"] == ["new"]
    async with asyncio.timeout(1.5):
        while (await reader.get("notes", "n")).document["texts"] == ["old"]:
            pass
    (paged,) = await reader.page("notes", BY_TIME)
    assert paged.document["texts"] == ["new"]


async def test_a_view_without_a_build_is_empty(open_read_model):
    """And is seen as soon as there is one."""
    reader, writer = open_read_model(), open_read_model()
    assert await reader.get("notes", "n") is None
    assert await reader.page("notes", BY_TIME) == []
    await prepare(writer, NOTES)
    await writer.write(NOTES.id, {"n": note("x", 1)})
    assert (await reader.get("notes", "n")).key == "n"


async def test_views_are_apart(prepared):
    """Each has documents and a checkpoint of its own; they are listed by name."""
    other = notes(name="a")
    await prepare(prepared, other)
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    await save(prepared, NOTES, status(NOTES, 1))
    assert await prepared.get("a", "n") is None
    assert await prepare(prepared, other) == 0
    assert [each.name for each in await prepared.projections()] == ["a", "notes"]


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


async def test_a_build_that_no_process_has_worked_on_is_at_the_beginning(read_model):
    """And free."""
    await begun(read_model, NOTES, 0)
    (found,) = (await record(read_model)).builds
    assert isinstance(found, BuildRecord)
    assert (found.position, found.is_free, found.holder, found.epoch) == (0, True, None, 0)
    assert await read_model.acquire(Build(NOTES, found.id), "me") is not None
