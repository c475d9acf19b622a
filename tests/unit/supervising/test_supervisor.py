"""Processes are started, replaced, and stopped in order; how a real service does it is tested in
tests/acceptance/test_workers.py.
"""

import errno
import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import Pipe
from multiprocessing.context import BaseContext, SpawnProcess
from pathlib import Path
from typing import Self

import pytest

from app.host.workers.errors import StartFailed
from app.host.workers.supervised import Job, Supervised
from app.host.workers.supervisor import Supervisor
from tests.unit.supervising import jobs

SECONDS = 20.0
NO_ROOM = OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


class Trial:
    """A supervisor in a thread of the test, whose processes are fresh ones."""

    def __init__(
        self,
        folder,
        *work,
        stop_seconds: float = SECONDS,
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        self.folder = folder
        self.listening = socket.socket()
        self.announced = 0
        self.supervisor = Supervisor(
            [Job(f"Job {n}", each, accepts, on_end) for n, (each, accepts) in enumerate(work)],
            self.listening,
            self._announce,
            stop_seconds=stop_seconds,
            method="spawn",
        )
        self.failure: StartFailed | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _announce(self) -> None:
        self.announced += 1

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except StartFailed as error:
            self.failure = error

    def stop(self, *numbers: int) -> None:
        """Ask it to stop, by so many signals, and wait until it has."""
        for number in numbers or (signal.SIGTERM,):
            self.supervisor.handle_exit(number, None)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def ends(self) -> None:
        """Wait until it ends by itself."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    @property
    def notes(self) -> list[str]:
        """What processes have noted."""
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def pid_of(self, name: str) -> int:
        """The process that noted this name last."""
        return int([each for each in self.notes if each.startswith(f"{name} ")][-1].split()[1])


class Room:
    """For how many processes the system has room.

    refusals: how many are refused, after those that are spared.
    """

    def __init__(self) -> None:
        self.refusals = self.spared = 0

    def take(self) -> None:
        """Take the room of a process."""
        if self.spared:
            self.spared -= 1
        elif self.refusals:
            self.refusals -= 1
            raise NO_ROOM


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def worker(folder, name: str) -> tuple[Callable[..., None], bool]:
    """A job that accepts connections."""
    return partial(jobs.serve, folder, name), True


def projector(folder) -> tuple[Callable[..., None], bool]:
    """A job that does not."""
    return partial(jobs.serve, folder, "projector"), False


def test_workers_are_stopped_before_the_projector(tmp_path):
    """What they answer last may wait for it. The announcement came once, when all was ready."""
    with Trial(tmp_path, projector(tmp_path), worker(tmp_path, "worker")) as trial:
        until(lambda: trial.announced > 0)
        assert len(trial.notes) == 2
        trial.stop()
    assert trial.announced == 1
    assert trial.notes[2:] == ["worker stops", "projector stops"]
    assert trial.listening.fileno() == -1
    assert trial.failure is None


def test_one_that_ends_is_replaced(tmp_path, caplog):
    """At once at first; the log says how it ended."""
    with Trial(tmp_path, worker(tmp_path, "worker")) as trial:
        until(lambda: trial.announced > 0)
        first = trial.pid_of("worker")
        os.kill(first, signal.SIGKILL)
        until(lambda: trial.pid_of("worker") != first)
    assert trial.announced == 1
    [line] = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert line == (
        f"Job 0 (process {first}) was ended by SIGKILL. Another one is started now; ended so "
        "far: 1."
    )


def test_one_that_cannot_start_later_is_tried_again(tmp_path, caplog):
    """The service is ready by then, and others go on; the log has the reason."""
    late = partial(jobs.fail_later, tmp_path), True
    with Trial(tmp_path, worker(tmp_path, "worker"), late) as trial:
        until(lambda: trial.announced > 0)
        os.kill(trial.pid_of("first"), signal.SIGKILL)
        until(lambda: any(each.startswith("mended ") for each in trial.notes))
    assert trial.failure is None
    assert (
        "ended with status 3. Another one is started in 0.5 s; ended so far: 2. The disk is full."
        in caplog.text
    )


@pytest.fixture
def room(monkeypatch) -> Room:
    """For all processes, until the test says otherwise."""
    room = Room()
    start = SpawnProcess.start

    def start_if_there_is_room(process: SpawnProcess) -> None:
        room.take()
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", start_if_there_is_room)
    return room


def test_one_that_the_system_has_no_room_for_is_tried_again(tmp_path, caplog, room):
    """A stop meanwhile would find nothing to stop; and it is known that its process has ended."""
    ended: list[str] = []
    with Trial(tmp_path, worker(tmp_path, "worker"), on_end=lambda: ended.append("one")) as trial:
        until(lambda: trial.announced > 0)
        first = trial.pid_of("worker")
        room.refusals = 1
        os.kill(first, signal.SIGKILL)
        until(lambda: trial.pid_of("worker") != first)
    assert trial.failure is None
    assert ended == ["one", "one"]
    assert (
        f"Job 0 cannot be started ({NO_ROOM}). Another one is started in 0.5 s; ended so far: 1."
    ) in caplog.text


def test_no_room_at_the_start_ends_all(tmp_path, room):
    """The first is stopped, and the reason is said."""
    room.refusals, room.spared = 1, 1
    with Trial(tmp_path, worker(tmp_path, "worker"), projector(tmp_path)) as trial:
        trial.ends()
    assert trial.failure
    assert str(trial.failure).startswith(f"Job 1 cannot be started ({NO_ROOM}) ")
    assert not trial.announced


@pytest.mark.parametrize(
    ("work", "says", "status"),
    [
        (jobs.fail_always, r"The disk is full\.", jobs.STATUS),
        (jobs.fail_silently, r"Job 1 \(process \d+\) was ended by SIGKILL before the .* ready", 1),
    ],
)
def test_one_that_never_served_ends_all(tmp_path, work, says, status):
    """With its reason and status; the others are stopped."""
    with Trial(tmp_path, projector(tmp_path), (work, True)) as trial:
        trial.ends()
    assert trial.failure
    assert trial.failure.status == status
    assert re.fullmatch(says, str(trial.failure))
    assert not trial.announced


def test_one_that_does_not_stop_is_killed(tmp_path, caplog):
    """After a time in which it should have."""
    deaf = partial(jobs.be_deaf, tmp_path), True
    with Trial(tmp_path, deaf, stop_seconds=0.2) as trial:
        until(lambda: trial.announced > 0)
        trial.stop(signal.SIGTERM)
    assert "Job 0 does not stop, and is killed." in caplog.text


def test_a_further_signal_goes_to_those_that_are_stopping(tmp_path):
    """They know what it means: not to wait any longer."""
    deaf = partial(jobs.be_deaf, tmp_path), True
    with Trial(tmp_path, deaf) as trial:
        until(lambda: trial.announced > 0)
        trial.stop(signal.SIGTERM, signal.SIGKILL)


def test_a_stop_before_the_start_starts_nothing(tmp_path):
    """Nothing is left to stop, either."""
    trial = Trial(tmp_path, worker(tmp_path, "worker"))
    trial.supervisor.should_exit = True
    with trial:
        trial.ends()
    assert not trial.notes


def test_the_pause_grows_while_one_ends_again_and_again():
    """Up to half a minute."""
    found = []
    one = Supervised(Job("It", jobs.fail_always, accepts=True))
    for _ in range(2000):
        one._in_a_row += 1
        found.append(one.pause)
    assert found[:9] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(found[9:]) == {30}


def test_a_fork_that_fails_leaves_nothing_open(monkeypatch):
    """It is tried again and again: else there would be no descriptors left one day."""

    def refuse() -> None:
        raise NO_ROOM

    monkeypatch.setattr(os, "fork", refuse)
    one, (lifeline, life) = Supervised(Job("It", jobs.fail_always, accepts=True)), Pipe()
    with lifeline, life:
        before = list(Path("/dev/fd").iterdir())
        for _ in range(3):
            with pytest.raises(OSError, match=str(errno.EAGAIN)):
                one.start("fork", lifeline, ())
        assert len(list(Path("/dev/fd").iterdir())) == len(before)


def test_a_start_without_room_for_a_pipe_is_put_off(monkeypatch):
    """Else it would be tried again without a pause."""

    def refuse(*_: object, **__: object) -> None:
        raise NO_ROOM

    monkeypatch.setattr(BaseContext, "Pipe", refuse)
    one, (lifeline, life) = Supervised(Job("It", jobs.fail_always, accepts=True)), Pipe()
    with lifeline, life:
        for _ in range(2):
            with pytest.raises(OSError, match=str(errno.EAGAIN)):
                one.start("spawn", lifeline, ())
    assert one.due_at > time.monotonic()
