"""Signals ask for a stop."""

import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from app.host.server.stopping import StopRequest

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped:
    """A server that notes how it is stopped."""

    def __init__(self) -> None:
        self.should_exit = False
        self.signals: list[int] = []

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the signal."""
        assert frame
        self.signals.append(sig)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Leave the handlers of signals as they were."""
    before = {each: signal.getsignal(each) for each in SIGNALS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_passed_to_the_server(number):
    """Each one: a second may mean something else than the first."""
    server = Stopped()
    with StopRequest() as stop:
        stop.hand_to(server)
        assert not server.should_exit
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert stop.requested
    assert server.signals == [number, number]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_there_is_a_server_is_kept(number):
    """It interrupts nothing; the server stops as soon as it has started."""
    server = Stopped()
    with StopRequest() as stop:
        os.kill(os.getpid(), number)
        stop.hand_to(server)
    assert server.should_exit


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_interruptible_ends_at_a_signal(number):
    """With the exit status of a program that the signal ended."""
    with StopRequest() as stop:
        with pytest.raises(SystemExit) as ended, stop.interruptible():
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # no longer
    assert ended.value.code == 128 + number
    assert stop.requested


def test_signals_after_the_end_do_nothing():
    """The exit status shows the result by then."""
    with StopRequest():
        pass
    for number in SIGNALS:
        os.kill(os.getpid(), number)


def test_nohup_is_respected():
    """A SIGHUP that is ignored from the start stays so."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
    assert not stop.requested
