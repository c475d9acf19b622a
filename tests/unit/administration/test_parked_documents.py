"""Operators see parked documents, and have them replayed."""

import pytest

from app.framework.administration import (
    DocumentNotParked,
    GetBuild,
    GetProjection,
    ListParkedDocuments,
    ProjectionNotFound,
    ReplayDocument,
    ReplayDocuments,
)
from app.framework.projections import EVERYTHING
from tests.notes import NOTES, NoteWritten, append
from tests.unit.administration.desk import Desk
from tests.unit.administration.parking import BROKEN, follow, parking


async def replaying(desk: Desk) -> dict[str, bool]:
    """The keys of the parked notes, and whether each is to be replayed."""
    found = await desk.send(ListParkedDocuments("notes"))
    return {each.key: each.is_replaying for each in found.items}


async def test_parked_documents_are_listed_by_position():
    """Since which event, why, and how many wait; and they are counted."""
    desk = await parking("b", "a:1")
    found = await desk.send(ListParkedDocuments("notes"))
    assert (found.projection, found.build) == ("notes", 1)
    assert [(each.key, each.position, each.waiting) for each in found.items] == [
        ("b", 2, 2),
        ("a:1", 5, 2),
    ]
    assert "ValueError: cannot apply poison" in found.items[0].error
    projection = await desk.send(GetProjection("notes"))
    [build] = projection.builds
    assert (projection.parked, build.parked, build.replaying) == (2, 2, 0)


async def test_one_is_replayed():
    """By a process with the corrected fold; the others stay. It may be repeated meanwhile."""
    desk = await parking("a", "b")
    for _ in range(2):
        found = await desk.send(ReplayDocument("notes", "b"))
        assert [each.is_replaying for each in found.items] == [False, True]
    assert (await desk.send(GetBuild("notes", 1))).replaying == 1
    await follow(desk, NOTES)
    assert await replaying(desk) == {"a": False}
    [replayed] = (await desk.store.load(NOTES.id, ["b"])).values()
    assert replayed.document is not None
    assert replayed.document["texts"] == ["text", "poison", "more"]


async def test_all_are_replayed():
    """Those that are refused again stay parked, and are not replayed again by themselves."""
    desk = await parking("a", "b")
    await desk.send(ReplayDocuments("notes"))
    assert await replaying(desk) == {"a": True, "b": True}
    await follow(desk, BROKEN)
    assert await replaying(desk) == {"a": False, "b": False}
    await desk.send(ReplayDocuments("notes"))
    await follow(desk, NOTES)
    assert await replaying(desk) == {}


async def test_what_is_not_parked_is_not_replayed():
    """By its key it is refused; a sign that stands for all of them is no key."""
    desk = await parking("a")
    for key in ("b", EVERYTHING):
        with pytest.raises(DocumentNotParked, match="of notes is not parked"):
            await desk.send(ReplayDocument("notes", key))
    assert await replaying(desk) == {"a": False}


async def test_with_nothing_parked_nothing_is_asked():
    """A later document is not replayed before its fold was corrected."""
    desk = await parking()
    await append(desk.log, "a", NoteWritten("text"))
    await follow(desk, BROKEN)
    assert (await desk.send(ReplayDocuments("notes"))).items == []
    [build] = (await desk.record()).builds
    assert build.replay == []


async def test_the_documents_are_those_of_the_build_that_serves():
    """Another one has its own."""
    desk = await parking("a")
    await desk.begin(version=2)
    await desk.store.switch("notes", serving="notes_v1", to="notes_v2")
    found = await desk.send(ListParkedDocuments("notes"))
    assert (found.build, found.items) == (2, [])
    with pytest.raises(DocumentNotParked):
        await desk.send(ReplayDocument("notes", "a"))


@pytest.mark.parametrize(
    "message",
    [ListParkedDocuments("books"), ReplayDocument("books", "a"), ReplayDocuments("books")],
)
async def test_a_projection_that_is_not_there_is_named(message):
    """By every message."""
    with pytest.raises(ProjectionNotFound, match="books"):
        await (await parking("a")).send(message)
