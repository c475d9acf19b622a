"""What the processes of these tests do; each notes in a file that it does it."""

import os
import signal
import time
from multiprocessing.connection import wait
from pathlib import Path

from app.host.server.stopping import StopRequest
from app.host.workers.child import Link

STATUS = 3


def note(folder: Path, what: str) -> None:
    """Add a line to what is noted."""
    with (folder / "notes").open("a") as notes:
        notes.write(f"{what}\n")


def serve(folder: Path, name: str, link: Link, stop: StopRequest) -> None:
    """Serve until a stop, or until the supervisor has ended."""
    note(folder, f"{name} {os.getpid()}")
    link.serves()
    while not stop.requested:
        if wait([link.lifeline], 0.01):
            note(folder, f"{name} is alone")
            return
    note(folder, f"{name} stops")


def fail(folder: Path, link: Link, stop: StopRequest) -> None:
    """Say why, and end; the next one serves."""
    if not (folder / "failed").exists():
        (folder / "failed").touch()
        link.fails("The disk is full.")
        raise SystemExit(STATUS)
    serve(folder, "mended", link, stop)


def fail_always(link: Link, _: StopRequest) -> None:
    """Say why, and end."""
    link.fails("The disk is full.")
    raise SystemExit(STATUS)


def fail_silently(_: Link, __: StopRequest) -> None:
    """End by a signal."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail_later(folder: Path, link: Link, stop: StopRequest) -> None:
    """Serve; the next one fails, and the one after it serves."""
    if (folder / "served").exists():
        fail(folder, link, stop)
    else:
        (folder / "served").touch()
        serve(folder, "first", link, stop)


def be_deaf(folder: Path, link: Link, _: StopRequest) -> None:
    """Serve, and not stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(folder, f"deaf {os.getpid()}")
    link.serves()
    time.sleep(60)
