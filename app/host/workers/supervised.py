"""One of the processes of a supervisor, and those before it that had the same job."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from app.host.workers.child import SIGNALS, Closable, Link, Work, begin

StartMethod = Literal["fork", "spawn"]

START_METHOD: StartMethod = "fork" if sys.platform == "linux" else "spawn"
"""A fork shares the memory of what is loaded. Libraries of macOS do not bear one."""

STEADY_SECONDS = 60.0
"""A process that ran for so long is replaced at once when it ends."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
"""The pause before a process that ends again and again is replaced, at first and at most."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does.

    name: for the log.
    accepts: whether it accepts connections; those that do are stopped before the others.
    on_end: called when a process that did it has ended.
    """

    name: str
    work: Work
    accepts: bool
    on_end: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Supervised:
    """A process that does a job, and is replaced when it ends.

    serves: whether the process does its work, after its start.
    said: why it is about to end, if it said so.
    asked_at: when it was asked to stop.
    due_at: when the next one is started, if none runs.
    ended: how many have ended.
    """

    job: Job
    process: BaseProcess | None = None
    serves: bool = False
    said: str = ""
    asked_at: float | None = None
    due_at: float = 0.0
    ended: int = 0
    _started_at: float = 0.0
    _in_a_row: int = 0
    _reports: Connection | None = field(default=None, repr=False)

    def start(
        self, method: StartMethod, lifeline: Connection, unneeded: Sequence[Closable]
    ) -> None:
        """Start a process, which closes `unneeded` if it is a fork.

        Raises:
            OSError: the system has no room for one; it is due to be tried again.

        """
        self.serves, self.said, self.asked_at = False, "", None
        self._started_at = time.monotonic()
        try:
            self.process = self._begun(get_context(method), lifeline, unneeded)
        except OSError:
            self._close_reports()
            self._delay()
            raise

    @property
    def watched(self) -> Sequence[Connection | int]:
        """What becomes readable when there is news of the process."""
        reports = [] if self._reports is None else [self._reports]
        return [*reports, *([] if self.process is None else [self.process.sentinel])]

    def hear(self) -> None:
        """Take what the process has reported."""
        try:
            while self._reports is not None and self._reports.poll():
                said = self._reports.recv()
                self.serves = said is None
                self.said = said or ""
        except EOFError:
            self._close_reports()

    def has_ended(self) -> bool:
        """Whether the process has ended since the last call."""
        if self.process is None or self.process.exitcode is None:
            return False
        self.hear()
        self._close_reports()
        self.process.join()
        return True

    def forget(self) -> str:
        """How the process ended that has ended; it is due to be replaced."""
        assert self.process is not None
        how = f"{self.job.name} (process {self.process.pid}) {_ending(self.process.exitcode)}"
        self.process.close()
        self.process = None
        self.ended += 1
        self._delay()
        return how

    @property
    def pause(self) -> float:
        """How long its replacement waits: the first does not."""
        if self._in_a_row <= 1:
            return 0.0
        doublings = min(self._in_a_row - 2, 16)
        return min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS)

    def ask_to_stop(self) -> None:
        """Send the first signal."""
        self.asked_at = time.monotonic()
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """End the process, which did not stop."""
        self.asked_at = time.monotonic()
        self.send(signal.SIGKILL)

    def send(self, number: int) -> None:
        """Send a signal to the process, if it has not ended."""
        if self.process is not None and self.process.exitcode is None:
            assert self.process.pid
            os.kill(self.process.pid, number)

    def _begun(
        self, context: Any, lifeline: Connection, unneeded: Sequence[Closable]
    ) -> BaseProcess:
        self._reports, theirs = context.Pipe(duplex=False)
        with theirs:
            is_fork = context.get_start_method() == "fork"
            inherited = (*unneeded, self._reports) if is_fork else ()
            process: BaseProcess = context.Process(
                target=begin, args=(self.job.work, Link(lifeline, theirs), inherited)
            )
            # The new process handles signals as soon as it can, and not as this one does.
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            try:
                with _closing_what_fails() if is_fork else contextlib.nullcontext():
                    process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return process

    def _delay(self) -> None:
        now = time.monotonic()
        self._in_a_row = 1 if now >= self._started_at + STEADY_SECONDS else self._in_a_row + 1
        self.due_at = now + self.pause

    def _close_reports(self) -> None:
        if self._reports is not None:
            self._reports.close()
            self._reports = None


@contextlib.contextmanager
def _closing_what_fails() -> Iterator[None]:
    """Close what the block opens if it fails; no other thread may open anything meanwhile.

    CPython opens two pipes for a fork, and leaves them open if there is no room for a process.
    """
    before = _descriptors()
    try:
        yield
    except OSError:
        for each in _descriptors() - before:
            os.close(each)
        raise


def _descriptors() -> set[int]:
    # That of the list itself is closed, and so has no link any more.
    return {int(each.name) for each in Path("/dev/fd").iterdir() if os.path.lexists(each)}


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
