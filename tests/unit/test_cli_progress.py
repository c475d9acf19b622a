"""How long commands show how far they have come."""

import logging
import re
import sys

import pytest

from app.cli.progress import progress
from tests.terminals import terminal


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What it shows, in seconds."""
        return self.now


@pytest.fixture
def clock():
    """It stands still until it is moved."""
    return Clock()


def test_off_a_terminal_there_is_a_line_a_second_at_most(capsys, clock):
    """With rate and time left; the last has the rate of the whole."""
    with progress("Exporting", 10_000, clock=clock) as bar:
        for done in range(0, 10_001, 100):
            bar.at(done)
            clock.now += 1 / 32
    assert capsys.readouterr().err.splitlines() == [
        "Exporting: 3,200 of 10,000 (32 %) at 3,200/s, 0:00:02 left",
        "Exporting: 6,400 of 10,000 (64 %) at 3,200/s, 0:00:01 left",
        "Exporting: 9,600 of 10,000 (96 %) at 3,200/s, 0:00:00 left",
        "Exporting: 10,000 of 10,000 (100 %) at 3,168/s, took 0:00:03",
    ]


def test_the_rate_is_of_this_run_and_of_late(capsys, clock):
    """What was done before does not count, nor how it went more than half a minute ago."""
    with progress("Importing", 10_000, done=1000, clock=clock) as bar:
        for done in (1000, 1000, 1100):
            clock.now += 20
            bar.at(done)
        for done in range(1100, 1600, 10):
            clock.now += 1
            bar.at(done)
    lines = capsys.readouterr().err.splitlines()
    assert lines[2] == "Importing: 1,100 of 10,000 (11 %) at 2/s, 1:29:00 left"
    assert lines[-2] == "Importing: 1,590 of 10,000 (15 %) at 10/s, 0:14:01 left"


def test_a_total_may_be_unknown_or_change(capsys, clock):
    """The head of the log moves on; without one there is no time left to tell."""
    with progress("Building", None, clock=clock) as bar:
        clock.now += 1
        bar.at(50)
        clock.now += 1
        bar.at(100, 400)
    assert capsys.readouterr().err.splitlines()[:2] == [
        "Building: 50 at 50/s",
        "Building: 100 of 400 (25 %) at 50/s, 0:00:06 left",
    ]


@pytest.mark.parametrize("total", [0, None])
def test_nothing_to_do_is_done_at_once(capsys, clock, total):
    """A total of 0 divides nothing."""
    with progress("Exporting", total, clock=clock):
        pass
    assert capsys.readouterr().err.endswith(" at 0/s, took 0:00:00\n")


def test_an_error_is_not_shown_as_an_end(capsys, clock):
    """No line says that it took so long."""
    with pytest.raises(KeyboardInterrupt), progress("Exporting", 10, clock=clock):
        raise KeyboardInterrupt
    assert not capsys.readouterr().err


def test_a_terminal_shows_a_bar(clock):
    """It ends with what was done, and leaves the cursor visible."""
    with terminal("stderr") as shown:
        with progress("Exporting [all]", 200, clock=clock) as bar:
            clock.now += 1
            bar.at(100)
            clock.now += 1
            bar.at(200)
        text = shown.text()
    last = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text.rpartition("\r")[2])
    end = r" 200 of 200 \(100 %\) at 100/s, took 0:00:02\n"
    assert re.fullmatch(rf"Exporting \[all\] ━+{end}", last)
    assert text.endswith("\x1b[?25h")


def test_lines_of_the_log_stand_above_the_bar(clock):
    """They take its place, and it is drawn again below; standard output is left alone."""
    with terminal("stdout", "stderr") as shown:
        stdout, handler = sys.stdout, logging.StreamHandler(sys.stderr)
        logging.getLogger().addHandler(handler)
        try:
            with progress("Exporting", 200, clock=clock) as bar:
                clock.now += 1
                bar.at(100)
                logging.getLogger("app").warning("PostgreSQL is away.")
                assert sys.stdout is stdout
            assert handler.stream is sys.stderr
        finally:
            logging.getLogger().removeHandler(handler)
        assert "\x1b[2KPostgreSQL is away.\n" in shown.text()
