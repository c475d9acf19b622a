"""How far a long command has come, on standard error."""

import contextlib
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from app.cli.output import is_terminal

_BAR_SECONDS = 0.1
_LINE_SECONDS = 1.0

_RATE_SECONDS = 30
"""The rate is that of the last so many seconds."""


@contextlib.contextmanager
def progress(
    description: str,
    total: int | None,
    *,
    done: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator["Bar"]:
    """Show how far a `with` block has come, its rate, and the time left.

    A terminal shows a bar. Elsewhere a line is written at most once a second, and one at the end
    unless an error ends the block.

    total: None if unknown.
    done: what earlier runs did; the rate does not count it.
    """
    console = Console(file=sys.stderr)
    on_terminal = is_terminal(console)
    seconds = _BAR_SECONDS if on_terminal else _LINE_SECONDS
    with _live(console, description) if on_terminal else _lines(description) as show:
        bar = Bar(total, done, clock, seconds, show)
        yield bar
        bar.finish()


class Bar:
    """Gets from a command how far it has come, and shows that not too often."""

    def __init__(
        self,
        total: int | None,
        done: int,
        clock: Callable[[], float],
        seconds: float,
        show: "Show",
    ) -> None:
        self.total = total
        self.done = done
        self._clock = clock
        self._seconds = seconds
        self._show = show
        self._first = (clock(), done)
        self._shown = deque([self._first], maxlen=round(_RATE_SECONDS / seconds))

    def at(self, done: int, total: int | None = None) -> None:
        """`done` is done, of `total` if that has changed."""
        self.done = done
        if total is not None:
            self.total = total
        now = self._clock()
        if now - self._shown[-1][0] >= self._seconds:
            rate = self._rate(self._shown[0], now)
            self._shown.append((now, done))
            self._show(self, f"{self._numbers()} at {rate:,.0f}/s{self._left(rate)}")

    def finish(self) -> None:
        """Show the end, and the rate of the whole."""
        now = self._clock()
        took = _duration(now - self._first[0])
        numbers = f"{self._numbers()} at {self._rate(self._first, now):,.0f}/s, took {took}"
        if self.total is None:
            self.total = self.done
        self._show(self, numbers)

    def _rate(self, since: tuple[float, int], now: float) -> float:
        then, done = since
        return (self.done - done) / max(now - then, 0.001)

    def _numbers(self) -> str:
        if self.total is None:
            return f"{self.done:,}"
        percent = 100 * self.done // self.total if self.total else 100
        return f"{self.done:,} of {self.total:,} ({percent} %)"

    def _left(self, rate: float) -> str:
        if self.total is None or rate <= 0:
            return ""
        return f", {_duration(max(0, self.total - self.done) / rate)} left"


Show = Callable[[Bar, str], object]
"""Shows a bar with its numbers."""


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextlib.contextmanager
def _lines(description: str) -> Iterator[Show]:
    yield lambda _, numbers: sys.stderr.write(f"{description}: {numbers}\n")


@contextlib.contextmanager
def _live(console: Console, description: str) -> Iterator[Show]:
    shown = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[numbers]}", markup=False),
        console=console,
        redirect_stdout=False,  # rich would write it to standard error
    )
    task = shown.add_task(description, total=None, numbers="")
    with shown, _log_above(console):
        yield lambda bar, numbers: shown.update(
            task, completed=bar.done, total=bar.total, numbers=numbers
        )


@contextlib.contextmanager
def _log_above(console: Console) -> Iterator[None]:
    """Have log lines printed above the bar, by what stands in for `sys.stderr` while it shows."""
    handlers = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and each.stream is console.file
    ]
    streams = [each.setStream(sys.stderr) for each in handlers]
    try:
        yield
    finally:
        for each, stream in zip(handlers, streams, strict=True):
            each.setStream(stream)
