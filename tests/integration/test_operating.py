"""Operators run projections from the command line, beside a service on real servers."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.bootstrap import all_projections
from app.cli import main
from app.cli.projections import rebuild
from tests.integration.conftest import caught_up, serving

USERS = [{"id": f"u{each}", "name": f"User {each}", "email": f"u{each}@x.org"} for each in range(9)]
VIEW = "user_summaries"


@pytest.fixture(autouse=True)
def _environment(settings, monkeypatch, tmp_path) -> None:
    """The settings of the commands."""
    for name in ("database_url", "mongodb_url", "mongodb_database"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))
    monkeypatch.setenv("AUDIT_LOG", str(tmp_path / "audit.log"))


@pytest.fixture(autouse=True)
def _service(settings) -> Iterator[None]:
    """A process with all roles, in a thread of its own, with some users in every view."""
    ready, done = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with serving(settings) as client:
            for each in USERS:
                assert (await client.post("/users", json=each)).status_code == 201
            await caught_up(client, len(USERS))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield
    loops[0].call_soon_threadsafe(done.set)
    thread.join()


def called(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What a command printed, which ended with `status`."""
    ended = main(["projections", *arguments])
    printed = capsys.readouterr()
    assert ended == status, printed.err
    return printed.out if status == 0 else printed.err


def shown(capsys: pytest.CaptureFixture[str]) -> Any:
    """The projection."""
    return json.loads(called(capsys, "show", VIEW, "--json"))


def test_a_projection_is_rebuilt_and_gone_back_from(capsys):
    """With every command on the way."""
    headings, *rows = called(capsys).splitlines()
    assert headings.split()[:4] == ["NAME", "BUILD", "VERSION", "IS"]
    assert len(rows) == len(all_projections())
    out = json.loads(called(capsys, "rebuild", VIEW, "--wait", "--json"))
    [build] = out["items"]
    assert (build["state"], build["comparison"]["compared"]) == ("serving", len(USERS))
    assert "serving" in called(capsys, "show", VIEW)
    number, before = build["number"], build["number"] - 1
    assert called(capsys, "serve", VIEW, str(before)) == f"Build {before} of {VIEW} serves.\n"
    refusal = called(capsys, "retire", VIEW, str(before), "--yes", status=1)
    assert refusal.startswith(f"Build {before} of {VIEW} serves; ")
    assert called(capsys, "retire", VIEW, str(number), "--yes").endswith(" is retired.\n")
    assert [each["number"] for each in shown(capsys)["builds"]] == [before]


def test_a_projection_is_paused_and_resumed(capsys):
    """And a wait for a rebuild of it ends."""
    assert called(capsys, "pause", VIEW) == f"{VIEW} is paused at position {len(USERS)}.\n"
    assert shown(capsys)["paused"]
    assert "paused" in called(capsys, "rebuild", VIEW, "--wait", status=1)
    assert "is busy: build 2 is building" in called(capsys, "rebuild", VIEW, status=1)
    assert called(capsys, "resume", VIEW).startswith(f"{VIEW} is resumed; ")


def test_all_projections_are_rebuilt(capsys):
    """Those that are busy are named, and the others begin."""
    called(capsys, "pause", VIEW)
    called(capsys, "rebuild", VIEW, "--take-over", "on-request")
    said = called(capsys, "rebuild", "--all", status=1)
    assert said.count(" has begun.") == len(all_projections()) - 1
    assert f"{VIEW} is busy" in said


def test_ctrl_c_leaves_a_rebuild_running(capsys, monkeypatch):
    """And says how to see it."""

    async def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(5)

    monkeypatch.setattr(rebuild, "wait_for", interrupted)
    # A shell has its background jobs ignore it, and then it stays so.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        said = called(capsys, "rebuild", VIEW, "--wait", status=130)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert "goes on; `projections show" in said
    assert len(shown(capsys)["builds"]) == 2


def test_what_is_not_there_is_one_line(capsys):
    """With the exit status 1."""
    assert called(capsys, "show", "books", status=1) == "There is no projection books.\n"
    assert called(capsys, "serve", VIEW, "9", status=1) == f"{VIEW} has no build 9.\n"
    refusal = called(capsys, "replay", VIEW, "u1", status=1)
    assert refusal == f"The document 'u1' of {VIEW} is not parked.\n"
    nothing = f"No document of {VIEW} is parked.\n"
    assert called(capsys, "parked", VIEW) == nothing
    assert called(capsys, "replay", VIEW, "--all", "--wait") == nothing
