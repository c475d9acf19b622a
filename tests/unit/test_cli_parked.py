"""Operators see parked documents on the command line, and have them replayed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from app.cli import main
from app.cli.projections import waiting
from app.cli.projections.operating import document
from app.cli.projections.parked import row
from app.cli.projections.replay import replay
from app.cli.projections.show import rows
from app.framework.administration import (
    DocumentNotParked,
    GetProjection,
    ListParkedDocuments,
    ParkedDocument,
    PauseProjection,
    ReplayDocument,
)
from app.framework.http.schemas.parked_documents import ParkedDocumentList
from app.framework.projections import ProjectionState
from tests.notes import NOTES, status
from tests.unit.administration.desk import Desk
from tests.unit.administration.parking import BROKEN, follow, parking

TIME = datetime(2026, 3, 14, 9, 26, 53, 589793, UTC)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """A wait looks often."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.001)


@pytest.mark.parametrize(("is_replaying", "words"), [(False, "-"), (True, "yes")])
def test_a_parked_document_is_listed(is_replaying, words):
    """What is wrong stands at the end."""
    parked = ParkedDocument("a:1", 7, "KeyError: x", TIME, 3, is_replaying)
    assert row(parked) == ("a:1", 7, 3, "2026-03-14 09:26:53Z", words, "KeyError: x")


async def test_programs_get_what_the_api_answers():
    """The members have the same names and values."""
    desk = await parking("a", "b")
    found = await desk.send(ReplayDocument("notes", "a"))
    answered = json.loads(ParkedDocumentList.model_validate(found).model_dump_json())
    for each in answered["items"]:
        each["since"] = "time"
    assert json.loads(json.dumps(document(found), default=lambda _: "time")) == answered


async def test_a_projection_is_shown_with_what_is_parked():
    """And how many of them are to be replayed."""
    desk = await parking("a", "b")
    for words in ("2", "2 (1 to be replayed)"):
        shown = rows(await desk.send(GetProjection("notes")))
        assert ("parked", words) in shown
        await desk.send(ReplayDocument("notes", "a"))


async def asked_for(desk: Desk) -> None:
    """Return once a document is to be replayed."""
    async with asyncio.timeout(5):
        while not any(each.is_replaying for each in await parked(desk)):  # noqa: ASYNC110 - stored
            await asyncio.sleep(0)


async def parked(desk: Desk) -> Sequence[ParkedDocument]:
    """The documents that are parked."""
    return (await desk.send(ListParkedDocuments("notes"))).items


async def replayed(
    desk: Desk,
    key: str | None,
    *steps: Callable[[], Awaitable[object]],
    wait: bool = True,
    as_json: bool = False,
) -> int:
    """The exit status of a replay, while these steps happen."""
    task = asyncio.create_task(replay(desk.mediator, "notes", key, wait=wait, as_json=as_json))
    for step in steps:
        await asked_for(desk)
        await step()
    async with asyncio.timeout(5):
        return await task


@pytest.mark.parametrize(("key", "words"), [("a", "1 document"), (None, "2 documents")])
async def test_a_replay_is_asked_for(capsys, key, words):
    """Without a wait, with the command that shows how far it is."""
    desk = await parking("a", "b")
    assert await replayed(desk, key, wait=False) == 0
    assert capsys.readouterr().out == (
        f"{words} of notes to replay; `projections parked notes` shows what is left.\n"
    )
    [build] = (await desk.send(GetProjection("notes"))).builds
    assert build.replaying == (1 if key else 2)


@pytest.mark.parametrize(("key", "words"), [("a", "1 document"), (None, "2 documents")])
async def test_a_wait_ends_when_it_is_done(capsys, key, words):
    """What was not asked for stays parked."""
    desk = await parking("a", "b")
    assert await replayed(desk, key, lambda: follow(desk, NOTES)) == 0
    assert capsys.readouterr().out == f"Replayed {words} of notes.\n"
    assert len((await desk.send(ListParkedDocuments("notes"))).items) == (1 if key else 0)


async def test_what_is_refused_again_is_named(capsys):
    """It is parked still: the fold was not corrected."""
    desk = await parking("a")
    assert await replayed(desk, "a", lambda: follow(desk, BROKEN)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("a is not replayed: it is parked at position 2: ")
    assert "ValueError: cannot apply poison" in err


async def stop(desk: Desk) -> None:
    """Another event cannot be applied."""
    lease = await desk.lease(1)
    stopped = status(NOTES, 3, state=ProjectionState.STOPPED, error="KeyError: x")
    await desk.store.save(lease, stopped)


@pytest.mark.parametrize(
    ("happen", "words"),
    [
        (stop, "it stopped: KeyError: x"),
        (
            lambda desk: desk.send(PauseProjection("notes")),
            "notes is paused; it goes on after `projections resume notes`",
        ),
    ],
)
async def test_a_wait_ends_when_nothing_goes_on(capsys, happen, words):
    """It says why; the documents are still to be replayed."""
    desk = await parking("a")
    assert await replayed(desk, None, lambda: happen(desk)) == 1
    assert capsys.readouterr().err == f"a is not replayed: {words}.\n"


async def test_a_wait_ends_when_another_build_serves(capsys):
    """In which the document may not be parked."""
    desk = await parking("a")
    await desk.begin(version=2)

    async def switch() -> None:
        assert await desk.store.switch("notes", serving="notes_v1", to="notes_v2")

    assert await replayed(desk, "a", switch) == 0
    assert capsys.readouterr().out == "Replayed 1 document of notes.\n"


async def test_a_replay_prints_what_is_left_for_programs(capsys):
    """As the API answers it."""
    desk = await parking("a", "b")
    assert await replayed(desk, "a", lambda: follow(desk, NOTES), as_json=True) == 0
    assert [each["key"] for each in json.loads(capsys.readouterr().out)["items"]] == ["b"]


async def test_there_may_be_nothing_to_replay(capsys):
    """All of none is done; a document that is not parked is refused."""
    desk = await parking()
    assert await replayed(desk, None) == 0
    assert capsys.readouterr().out == "No document of notes is parked.\n"
    with pytest.raises(DocumentNotParked):
        await replayed(desk, "a")


async def test_an_interrupted_wait_leaves_the_replay(capsys):
    """And says how to see it."""
    desk = await parking("a")
    task = asyncio.create_task(replay(desk.mediator, "notes", "a", wait=True, as_json=False))
    await asked_for(desk)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "The replay goes on; `projections parked notes` shows it." in capsys.readouterr().err
    assert [each.is_replaying for each in await parked(desk)] == [True]


@pytest.mark.parametrize("arguments", [[], ["a", "--all"]])
def test_a_replay_is_of_one_or_of_all(capsys, arguments):
    """Not of none, and not of both; nothing is connected."""
    assert main(["projections", "replay", "notes", *arguments]) == 2
    assert "Name a document by its key, or use --all." in capsys.readouterr().err
