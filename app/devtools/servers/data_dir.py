"""The data directory: one process at a time owns it and the servers that run in it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from app.devtools.servers.errors import CannotStart, DataDirInUse

_locks: set[int] = set()


def _forget_locks() -> None:
    for each in _locks:
        os.close(each)
    _locks.clear()


os.register_at_fork(after_in_child=_forget_locks)


@contextlib.contextmanager
def owned(data_dir: Path) -> Iterator[Path]:
    """Own `data_dir`, made if need be, for the length of a `with` block; its absolute path.

    The lock ends with the process, also if it is killed, and forks of it live on.

    Raises:
        DataDirInUse: another process owns it.
        CannotStart: it cannot be written.

    """
    path = data_dir.absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        path = path.resolve()
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {path} cannot be written: {error.strerror}") from error
    _locks.add(descriptor)
    try:
        _lock(descriptor, path)
        yield path
    finally:
        _locks.discard(descriptor)
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise DataDirInUse(
            f"DATA_DIR: {path} is in use by process {owner}; stop it, or name another directory"
        ) from error
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {path} cannot be locked: {error.strerror}") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
