"""What operators see of projections on the command line."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.cli import main
from app.cli.projections import waiting
from app.cli.projections.list import row
from app.cli.projections.operating import document
from app.cli.projections.show import rows, summary
from app.cli.projections.waiting import wait_for
from app.framework.administration import (
    BeginBuild,
    BuildDetails,
    GetBuild,
    GetProjection,
    PauseProjection,
    RetireBuild,
    ServeBuild,
)
from app.framework.http.schemas.administration import Projection
from app.framework.projections import BuildState, Comparison, ProjectionState, TakeOver
from tests.notes import NOTES, status
from tests.unit.administration.desk import EQUAL, Desk

TIME = datetime(2026, 3, 14, 9, 26, 53, 589793, UTC)

BUILD = BuildDetails(
    projection="views",
    number=2,
    version=1,
    collection="views_v1_b2",
    state=BuildState.BUILDING,
    serves=False,
    activity=ProjectionState.RUNNING,
    position=1200,
    head=81200,
    lag=80000,
    rate=8000.4,
    seconds_left=10.0,
    holder="here",
    held_since=TIME,
    seen_at=TIME,
    take_over=TakeOver.WHEN_EQUAL,
    comparison=None,
    parked=4,
    replaying=0,
    last_error=None,
)
STOPPED = replace(
    BUILD,
    activity=ProjectionState.STOPPED,
    last_error="No such key.",
    holder=None,
    rate=None,
    seconds_left=None,
    lag=None,
)


@pytest.mark.parametrize(
    ("build", "state"),
    [
        (BUILD, "running on here at 8,000/s, 0:00:10 left"),
        (STOPPED, "stopped: No such key."),
        (
            replace(BUILD, state=BuildState.READY, comparison=Comparison(2000, 3, ["a"]), lag=0),
            "running on here (3 of 2,000 keys differ)",
        ),
        (replace(BUILD, state=BuildState.KEPT, lag=0), "running on here"),
    ],
)
def test_a_build_is_listed(build, state):
    """What is done on it, and what is wrong, stands at the end."""
    assert [str(each) for each in row(build)] == [
        "views", "2", "1", build.state, "1200", str(build.lag), "4", state,
    ]  # fmt: skip


async def test_a_projection_is_shown_with_a_column_for_each_build():
    """The first line says what serves, and how a pause ends."""
    desk = Desk()
    await desk.begin()
    await desk.reach(1, 7)
    await desk.begin()
    await desk.be_ready(2, 7, Comparison(2000, 12, [f"k{each}" for each in range(12)]))
    found = await desk.send(GetProjection("notes"))
    assert summary(found) == "notes: build 1 serves.\n"
    shown = {name: [str(each) for each in cells] for name, *cells in rows(found)}
    assert shown["is"] == ["serving", "ready"]
    assert shown["collection"] == ["notes_v1", "notes_v1_b2"]
    assert shown["comparison"] == ["not compared", "12 of 2,000 keys differ"]
    assert shown["such as"] == ["-", "k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, ..."]
    assert shown["held since"][0].endswith("Z")
    paused = await desk.send(PauseProjection("notes"))
    assert summary(paused).endswith(" `projections resume notes` has it go on.\n")


async def test_programs_get_what_the_api_answers():
    """The members have the same names and values."""
    desk = Desk()
    await desk.begin()
    await desk.reach(1, 7, rate=3.5)
    await desk.begin()
    await desk.be_ready(2, 7, Comparison(10, 1, ["a"]))
    found = await desk.send(GetProjection("notes"))
    answered = json.loads(Projection.model_validate(found).model_dump_json())
    shown = json.loads(json.dumps(document(found), default=lambda _: "time"))
    for build in answered["builds"]:
        build.update(held_since="time", seen_at="time")
    assert shown == answered


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """A wait looks often."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.001)


async def watched(desk: Desk, *steps: Callable[[], Awaitable[object]]) -> tuple[BuildDetails, int]:
    """How the wait for build 2 ends, if these steps happen meanwhile."""
    begun = await desk.send(GetBuild("notes", 2))
    wait = asyncio.create_task(wait_for(desk.mediator, begun))
    for step in steps:
        await asyncio.sleep(0.01)
        await step()
    async with asyncio.timeout(5):
        return await wait


async def rebuilding(take_over: TakeOver) -> Desk:
    """A rebuild that has begun and is worked on."""
    desk = Desk()
    await desk.write(9)
    await desk.begin()
    await desk.reach(1, 9)
    await desk.send(BeginBuild("notes", take_over))
    await desk.reach(2, 4)
    return desk


async def test_a_wait_ends_when_the_build_serves(capsys):
    """It shows how far the build is, that it is compared, and how that ended."""
    desk = await rebuilding(TakeOver.WHEN_EQUAL)

    async def compare() -> None:
        await desk.store.note(await desk.reach(2, 9), state=BuildState.COMPARING)

    build, ended = await watched(
        desk,
        compare,
        lambda: desk.be_ready(2, 9, EQUAL),
        lambda: desk.send(ServeBuild("notes", 2)),
    )
    assert (build.state, ended) == (BuildState.SERVING, 0)
    first, *_, compared, last = capsys.readouterr().err.splitlines()
    assert first.startswith("Build 2 of notes: 9 of 9 (100 %) at ")
    assert compared == "Build 2 of notes: comparing it with the build that serves."
    assert last == "Build 2 of notes: it serves; 0 of 10 keys differ."


async def test_a_wait_ends_when_the_operator_is_to_decide(capsys):
    """With the command that does it."""
    desk = await rebuilding(TakeOver.ON_REQUEST)
    build, ended = await watched(desk, lambda: desk.be_ready(2, 9, EQUAL))
    assert (build.state, ended) == (BuildState.READY, 0)
    assert "`projections serve notes 2` lets it serve." in capsys.readouterr().err


async def test_a_wait_ends_when_the_build_differs(capsys):
    """The keys are named; it failed to do what it was for."""
    desk = await rebuilding(TakeOver.WHEN_EQUAL)
    _, ended = await watched(desk, lambda: desk.be_ready(2, 9, Comparison(10, 2, ["a", "b"])))
    assert ended == 1
    said = capsys.readouterr().err
    assert "it does not take over, as 2 of 10 keys differ, such as a, b; " in said


async def stop(desk: Desk) -> None:
    """An event cannot be applied."""
    lease = await desk.lease(2)
    stopped = status(NOTES, 4, state=ProjectionState.STOPPED, error="KeyError: x")
    await desk.store.save(lease, stopped)


@pytest.mark.parametrize(
    ("happen", "words"),
    [
        (stop, "it stopped: KeyError: x."),
        (
            lambda desk: desk.send(PauseProjection("notes")),
            "notes is paused; it goes on after `projections resume notes`.",
        ),
        (lambda desk: desk.send(RetireBuild("notes", 2)), "it is retired."),
    ],
)
async def test_a_wait_ends_when_the_build_does_not_go_on(capsys, happen, words):
    """It says why."""
    desk = await rebuilding(TakeOver.WHEN_EQUAL)
    _, ended = await watched(desk, lambda: happen(desk))
    assert ended == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"Build 2 of notes: {words}"


async def test_a_wait_for_no_process_ends(capsys, monkeypatch):
    """Where no projector runs, it would last for ever."""
    monkeypatch.setattr(waiting, "IDLE_SECONDS", 0.01)
    desk = Desk()
    await desk.begin()
    await desk.send(BeginBuild("notes"))
    _, ended = await watched(desk)
    assert ended == 1
    assert "no process works on it; it goes on when a projector runs." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["notes", "--all"]])
def test_a_rebuild_is_of_one_or_of_all(capsys, arguments):
    """Not of none, and not of both; nothing is connected."""
    assert main(["projections", "rebuild", *arguments]) == 2
    assert "Name a projection, or use --all." in capsys.readouterr().err


def test_a_build_is_retired_after_a_question(capsys):
    """Which a program answers by --yes."""
    assert main(["projections", "retire", "views", "2"]) == 2
    assert capsys.readouterr().err.startswith("Delete build 2 of views? There is no terminal")
