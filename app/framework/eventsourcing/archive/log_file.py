"""Files of exported logs: written so that a later call can go on, and read in batches."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from app.framework.eventsourcing.archive.log_format import (
    HEADER_BYTES,
    Header,
    event_in,
    event_line,
)
from app.framework.eventsourcing.archive.stored_log import (
    CannotExport,
    CannotImport,
    StoredEvent,
)

AT_ONCE = 1000
"""How many events are read or written at once."""

_BYTES_AT_ONCE = 2**23
_TAIL_BYTES = 2**16


class Target(Protocol):
    """What a log is exported to."""

    header: Header | None
    last: StoredEvent | None

    def begin(self, header: Header) -> None:
        """Write the header, or replace the one that is there; events follow."""
        ...

    def write(self, events: Sequence[StoredEvent]) -> None:
        """Write the next events."""
        ...

    def finish(self) -> None:
        """See to it that everything written stays."""
        ...


class LogStream:
    """A stream that a log is exported to, such as standard output; nothing is in it yet."""

    header: Header | None = None
    last: StoredEvent | None = None

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def begin(self, header: Header) -> None:
        self._stream.write(header.line())

    def write(self, events: Sequence[StoredEvent]) -> None:
        self._stream.write(b"".join(map(event_line, events)))

    def finish(self) -> None:
        self._stream.flush()


class LogFile:
    """A file that a log is exported to; close it in the end.

    header, last: what an earlier export has left in it; None if there is none. A line that was not
        written to its end does not count; `begin` cuts it off.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, or make one that only its owner can read.

        Raises:
            CannotExport: it cannot be written, is in use, or holds anything else.

        """
        self._path = path
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CannotExport(f"{path}: It is not a regular file.")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotExport(f"{path}: {error.strerror}.") from error
        self._file = os.fdopen(descriptor, "r+b")
        try:
            self._lock()
            self._end, self.header, self.last = self._content()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        # What is in the buffer may be half a line, and the disk may be full.
        with contextlib.suppress(OSError):
            self._file.close()

    def begin(self, header: Header) -> None:
        if header != self.header:
            self._file.seek(0)
            self._file.write(header.line())
            self._file.flush()
        self._end = max(self._end, HEADER_BYTES)
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def write(self, events: Sequence[StoredEvent]) -> None:
        self._file.write(b"".join(map(event_line, events)))

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = os.open(self._path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the file may be new there
        finally:
            os.close(folder)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotExport(f"{self._path}: Another export writes to it.") from error

    def _content(self) -> tuple[int, Header | None, StoredEvent | None]:
        """Where the last whole line ends, the header, and the last event."""
        first = self._file.readline(HEADER_BYTES)
        if not first.endswith(b"\n") and Header.is_begun_by(first):
            return 0, None, None
        try:
            header = Header.of(first)
            end, line = _last_line(self._file)
            return end, header, event_in(line) if end > HEADER_BYTES else None
        except ValueError as error:
            raise CannotExport(f"{self._path}: {_sentence(error)} Name another file.") from error


class LogReader:
    """A file of a log that is imported; close it in the end.

    header: its first line.
    last: its last event; None if there is none.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`.

        Raises:
            CannotImport: it cannot be read, holds anything else, or is not complete.

        """
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise CannotImport(f"{path}: {error.strerror}.") from error
        try:
            self.header = Header.of(self._file.readline(HEADER_BYTES))
            end, line = _last_line(self._file)
            self.last = event_in(line) if end > HEADER_BYTES else None
        except (OSError, ValueError) as error:
            self._file.close()
            raise CannotImport(f"{path}: {_sentence(error)}") from error
        position = self.last.position if self.last else 0
        if end != path.stat().st_size or position != self.header.position:
            self._file.close()
            raise CannotImport(
                f"{path}: It ends after position {position} of {self.header.position}; complete "
                "it by another `export` to the same file."
            )

    def close(self) -> None:
        self._file.close()

    def event_at(self, position: int) -> StoredEvent:
        """The event at `position`; `batches` continues after it.

        Raises:
            CannotImport: it is another one's place.

        """
        self._file.seek(HEADER_BYTES)
        for _ in range(position - 1):
            self._file.readline()
        return self._event(position)

    def batches(self, after: int) -> Iterator[Sequence[StoredEvent]]:
        """The events after position `after`, with no position skipped, and no time that goes back.

        Raises:
            CannotImport: the file is damaged; the message says in which line.

        """
        self._file.seek(HEADER_BYTES)
        last = self.event_at(after) if after else None
        batch: list[StoredEvent] = []
        began = self._file.tell()
        for position in range(after + 1, self.header.position + 1):
            event = self._event(position)
            if last and event.recorded_at < last.recorded_at:
                raise self._damaged(position, "its recorded_at is before that of the line before")
            batch.append(event)
            last = event
            if len(batch) == AT_ONCE or self._file.tell() - began > _BYTES_AT_ONCE:
                yield batch
                batch, began = [], self._file.tell()
        if batch:
            yield batch

    def _event(self, position: int) -> StoredEvent:
        try:
            event = event_in(self._file.readline())
        except ValueError as error:
            raise self._damaged(position, str(error)) from error
        if event.position != position:
            raise self._damaged(position, f"its position is {event.position}, not {position}")
        return event

    def _damaged(self, position: int, why: str) -> CannotImport:
        return CannotImport(f"{self._path}, line {position + 1}: {_sentence(why)}")


def _last_line(file: BinaryIO) -> tuple[int, bytes]:
    """Where the last whole line ends, and the line."""
    size = file.seek(0, os.SEEK_END)
    tail, length = b"", _TAIL_BYTES
    while tail.count(b"\n") < 2 and len(tail) < size:  # noqa: PLR2004 - its own and the one before
        length = min(2 * length, size)
        file.seek(size - length)
        tail = file.read(length)
    whole = tail[: tail.rfind(b"\n") + 1]
    return size - len(tail) + len(whole), whole[whole.rfind(b"\n", 0, -1) + 1 :]


def _sentence(words: object) -> str:
    text = words.strerror or "" if isinstance(words, OSError) else str(words)
    return f"{text[:1].upper()}{text[1:]}."
