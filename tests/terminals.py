"""Terminals that take the place of the standard streams."""

import contextlib
import os
import sys
import termios
from collections.abc import Iterator

import pytest

SETTINGS = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")

_MARK = b"\0"


class Terminal:
    """A terminal, from its user's side."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._ours = ours
        self._theirs = theirs
        self._read = b""

    def type(self, text: str) -> None:
        """Type `text` on its keyboard."""
        os.write(self._ours, text.encode())

    def text(self) -> str:
        """What has been printed since the last call, escape sequences included.

        The kernel hands output on some time after it was written, in order: once a mark that is
        written after it arrives, all of it has.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(self._theirs, _MARK)
        while _MARK not in self._read:
            self._read += os.read(self._ours, 65536)
        printed, _, self._read = self._read.partition(_MARK)
        return printed.decode()


@contextlib.contextmanager
def terminal(*streams: str, **settings: str) -> Iterator[Terminal]:
    """These of stdin, stdout and stderr are a terminal of 100 columns, for a `with` block.

    settings: of the environment.
    """
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # a new line stays one character
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    with pytest.MonkeyPatch.context() as patched, contextlib.ExitStack() as stack:
        stack.callback(os.close, ours)
        stack.callback(os.close, theirs)
        for name in SETTINGS:
            patched.delenv(name, raising=False)
        for name, value in {"TERM": "xterm-256color", "COLUMNS": "100", **settings}.items():
            patched.setenv(name, value)
        for name in streams:
            file = os.fdopen(os.dup(theirs), "r" if name == "stdin" else "w")
            patched.setattr(sys, name, stack.enter_context(file))
        yield Terminal(ours, theirs)
