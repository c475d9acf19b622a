"""Starts the processes of the service, replaces those that end, and stops them in order."""

import contextlib
import logging
import math
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import wait
from types import FrameType

from app.host.tuning import spare_the_collector
from app.host.workers.child import Closable
from app.host.workers.errors import StartFailed
from app.host.workers.supervised import START_METHOD, Job, StartMethod, Supervised

_logger = logging.getLogger(__name__)


class Supervisor:
    """Runs a process for each job. Implements Stoppable.

    It has no event loop and no thread, as it forks. However it ends, its processes notice by the
    end of a pipe, and stop.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        listening: socket.socket,
        announce: Callable[[], None],
        *,
        stop_seconds: float,
        method: StartMethod = START_METHOD,
    ) -> None:
        """Nothing is started before `run`.

        Args:
            jobs: what there is to do.
            listening: the socket of those that accept connections.
            announce: called once, when all processes are at work: the service is ready.
            stop_seconds: how long a process may take to stop before it is killed.
            method: how processes are started.

        """
        self.should_exit = False
        self._all = [Supervised(each) for each in jobs]
        self._listening = listening
        self._announce = announce
        self._stop_seconds = stop_seconds
        self._method: StartMethod = method
        self._lifeline, self._life = Pipe(duplex=False)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)  # noqa: FBT003 - the standard library's
        self._signals: list[int] = []
        self._is_announced = False
        self._failure: StartFailed | None = None

    def run(self) -> None:
        """Run the processes until a stop is requested and all have ended.

        Raises:
            StartFailed: one ended before the service was ready; the others are stopped.

        """
        if self._method == "fork":
            _await_threads()
        spare_the_collector()
        try:
            while self._step():
                self._await_news()
        finally:
            self._end_all()
        if self._failure is not None:
            raise self._failure

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a port
        """Stop; a further signal goes to the processes that are stopping, for them to hurry."""
        if self.should_exit:
            self._signals.append(sig)
        self.should_exit = True
        with contextlib.suppress(OSError):  # it is full, or closed after the end
            self._waker.send(b".")

    def _step(self) -> bool:
        """Do what is to be done next; False at the end."""
        for each in self._all:
            each.hear()
            if each.has_ended():
                self._note_end(each)
        if not self.should_exit:
            self._start_due()
        if self.should_exit:
            return self._stop_next()
        self._announce_once()
        return True

    def _start_due(self) -> None:
        for each in self._all:
            if each.process is None and each.due_at <= time.monotonic():
                unneeded: list[Closable] = [self._life, self._woken, self._waker]
                if not each.job.accepts:
                    unneeded.append(self._listening)
                try:
                    each.start(self._method, self._lifeline, unneeded)
                except OSError as error:
                    self._note_loss(each, f"{each.job.name} cannot be started ({error})")
            if self.should_exit:
                return

    def _announce_once(self) -> None:
        # Not sooner: those that serve would take the connections of those that do not yet.
        if not self._is_announced and all(each.serves for each in self._all):
            self._is_announced = True
            self._announce()

    def _note_end(self, ended: Supervised) -> None:
        assert ended.process is not None
        said, status = ended.said, ended.process.exitcode or 0
        ended.job.on_end()
        self._note_loss(ended, ended.forget(), said, status)

    def _note_loss(self, lost: Supervised, how: str, said: str = "", status: int = 1) -> None:
        if self.should_exit:
            return
        if not self._is_announced:
            failed = said or f"{how} before the service was ready"
            self._failure = StartFailed(failed, max(1, status))
            self.should_exit = True
            return
        when = f"in {lost.pause:g} s" if lost.pause else "now"
        line = f"{how}. Another one is started {when}; ended so far: {lost.ended}. {said}"
        _logger.error("%s", line.rstrip())

    def _stop_next(self) -> bool:
        """Have those that are next stop: first what accepts connections, then the others.

        So what is answered last can still wait for the projector. False if none runs any more.
        """
        # Else connections would wait there that no process accepts.
        self._listening.close()
        running = [each for each in self._all if each.process is not None]
        accepting = [each for each in running if each.job.accepts]
        for each in accepting or running:
            if each.asked_at is None:
                each.ask_to_stop()
            elif time.monotonic() > each.asked_at + self._stop_seconds:
                _logger.error("%s does not stop, and is killed.", each.job.name)
                each.kill()
            for number in self._signals:
                each.send(number)
        self._signals.clear()
        return bool(running)

    def _await_news(self) -> None:
        watched = [self._woken, *(watch for each in self._all for watch in each.watched)]
        if self._woken in wait(watched, self._next_seconds()):
            self._woken.recv(1024)

    def _next_seconds(self) -> float | None:
        """How long there is nothing to do without news; None for ever."""
        if self.should_exit:
            asked = [each.asked_at for each in self._all if each.process and each.asked_at]
            due = min(asked, default=math.inf) + self._stop_seconds + 0.1
        else:
            due = min((each.due_at for each in self._all if not each.process), default=math.inf)
        return None if due == math.inf else max(0.0, due - time.monotonic())

    def _end_all(self) -> None:
        """Leave nothing behind."""
        for each in self._all:
            if each.process is not None:
                each.send(signal.SIGKILL)
                each.process.join()
        for end in (self._lifeline, self._life, self._woken, self._waker):
            end.close()


def _await_threads() -> None:
    """Wait for the threads of a driver that was used and closed: a fork has but one thread."""
    for each in threading.enumerate():
        if each not in {threading.main_thread(), threading.current_thread()}:
            each.join(1.0)
