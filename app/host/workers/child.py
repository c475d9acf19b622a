"""What every process that a supervisor starts does first."""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

from app.host.server.stopping import StopRequest

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""Blocked while a process starts, so that none is lost and none is handled twice."""


class Closable(Protocol):
    """A file, a connection or a socket."""

    def close(self) -> None:
        """Close it in this process."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """The line of a process to its supervisor.

    lifeline: becomes readable when the supervisor has ended, however that was.
    """

    lifeline: Connection
    reports: Connection

    def serves(self) -> None:
        """Report that the process does its work."""
        self._report(None)

    def fails(self, why: str) -> None:
        """Report why the process is about to end."""
        self._report(why)

    def _report(self, what: str | None) -> None:
        # The supervisor may have ended: the lifeline says so.
        with contextlib.suppress(OSError):
            self.reports.send(what)


Work = Callable[[Link, StopRequest], None]
"""The work of a process. It ends when a stop is requested, or by SystemExit with a status."""


def begin(work: Work, link: Link, unneeded: Sequence[Closable]) -> None:
    """Do `work` in this new process.

    `unneeded` are what a fork has of its supervisor's, and must not keep open.
    """
    # Ctrl-C at a terminal is for the supervisor alone: it stops the others in order.
    os.setsid()
    for each in unneeded:
        each.close()
    with StopRequest() as stop:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        work(link, stop)
