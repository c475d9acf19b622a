"""What every read model promises of reads that must hold the log up to a position."""

import asyncio

import pytest

from app.framework.projections import PageRequest, ReadModelBehind
from tests.following import prepare, save, serve
from tests.notes import NOTES, note, notes, status

EVERYTHING = PageRequest(equals={}, sort="written_at", limit=10)


async def test_a_view_that_has_come_far_enough_is_read(prepared):
    """Whether the document was touched by the last events or not."""
    await prepared.write(NOTES.id, {"n": note("x", 3)})
    await save(prepared, NOTES, status(NOTES, 7))
    assert (await prepared.get("notes", "n", at_least=7)).position == 3
    assert await prepared.get("notes", "other", at_least=7) is None
    assert len(await prepared.page("notes", EVERYTHING, at_least=7)) == 1


async def test_a_view_that_is_behind_is_not_read(prepared):
    """Documents may be there already: what counts is the checkpoint, which covers them all."""
    await prepared.write(NOTES.id, {"n": note("x", 8)})
    await save(prepared, NOTES, status(NOTES, 7))
    with pytest.raises(ReadModelBehind):
        await prepared.get("notes", "n", at_least=8)
    with pytest.raises(ReadModelBehind):
        await prepared.page("notes", EVERYTHING, at_least=8)


async def test_only_those_who_ask_for_more_are_refused(prepared):
    """Reads that go out together have a position each."""
    await prepared.write(NOTES.id, {"n": note("x", 1)})
    await save(prepared, NOTES, status(NOTES, 7))
    positions = [0, 7, 8, 0, 9]
    found = await asyncio.gather(
        *(prepared.get("notes", "n", at_least=each) for each in positions), return_exceptions=True
    )
    assert [isinstance(each, ReadModelBehind) for each in found] == [each > 7 for each in positions]


async def test_a_view_that_nobody_prepared_is_behind(read_model):
    """It is as if no event were applied."""
    assert await read_model.get("notes", "n") is None
    with pytest.raises(ReadModelBehind):
        await read_model.get("notes", "n", at_least=1)
    with pytest.raises(ReadModelBehind):
        await read_model.page("notes", EVERYTHING, at_least=1)
    assert await read_model.positions() == {}


async def test_what_another_process_saved_is_seen_at_once(prepared, open_read_model):
    """However recently it was known that the view was behind."""
    reader = open_read_model()
    for position in range(1, 20):
        with pytest.raises(ReadModelBehind):
            await reader.get("notes", "n", at_least=position)
        await save(prepared, NOTES, status(NOTES, position))
        await reader.get("notes", "n", at_least=position)
        assert await reader.positions() == {"notes": position}


async def test_the_version_that_serves_is_what_counts(prepared, open_read_model):
    """Another may be further, or less far."""
    second, reader = notes(version=2), open_read_model()
    await save(prepared, NOTES, status(NOTES, 5))
    await prepare(prepared, second)
    await save(prepared, second, status(second, 9))
    assert await reader.positions() == {"notes": 5}
    with pytest.raises(ReadModelBehind):
        await reader.get("notes", "n", at_least=9)
    await serve(prepared, second)
    assert await prepared.get("notes", "n", at_least=9) is None
    assert await reader.positions() == {"notes": 9}
    third = notes(version=3)
    await prepare(prepared, third)
    await serve(prepared, third)
    with pytest.raises(ReadModelBehind):
        await prepared.get("notes", "n", at_least=1)
