"""Server processes that live in a session of their own, so that they outlive a Ctrl-C.

The process that starts one stops it; one that a killed process left behind can be adopted.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.devtools.servers.accounts import Account
from app.devtools.servers.errors import CannotStart

_POLL_SECONDS = 0.02

# Where programs, libraries and temporary files are, and the zone in which logs tell the time.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server process, our child or adopted.

    running: whether it, and no other process with its pid, still runs.
    exit_status: how it ended, minus the signal that killed it; None while it runs, and always
        for an adopted one.
    """

    name: str
    pid: int
    running: Callable[[], bool]
    exit_status: Callable[[], int | None] = lambda: None

    def await_ready(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until it is ready; False if it ends before, or is not ready in time."""
        return wait_until(lambda: ready() or not self.running(), seconds) and self.running()

    def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn, and wait its seconds, until the process has ended."""
        for number, seconds in steps:
            if not self.running():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if wait_until(lambda: not self.running(), seconds):
                return


def spawn(
    name: str, command: Sequence[str | Path], log: Path, account: Account | None
) -> ServerProcess:
    """Start `command` with its output in `log`; the previous log is kept beside it.

    Raises:
        CannotStart: the program cannot be executed.

    """
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    try:
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - our own binaries and arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment(),
                start_new_session=True,
                **(account.identity if account else {}),
            )
    except OSError as error:
        raise CannotStart(f"{name} cannot be executed: {command[0]}: {error.strerror}") from error
    return ServerProcess(name, child.pid, lambda: child.poll() is None, child.poll)


def environment() -> dict[str, str]:
    """The environment of a server: no setting or secret of ours, and messages in English."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds; False when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def exists(pid: int) -> bool:
    """Whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """The command line of process `pid`; empty if there is none, or it has ended."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        if Path("/proc/self/cmdline").exists():
            return ""
    listing = subprocess.run(  # noqa: S603 - where there is no /proc
        ["ps", "-p", str(pid), "-o", "command="],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()
