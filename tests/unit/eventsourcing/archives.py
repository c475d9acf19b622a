"""Logs of shelves to export and import, and what stands in the way."""

import contextlib
import io
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.stored_log import MemoryStoredLog
from app.framework.eventsourcing import AggregateType, EventRegistry
from app.framework.eventsourcing.archive import (
    Folds,
    LogFile,
    LogReader,
    LogStream,
    StoredEvent,
    StoredLog,
    export_log,
    import_log,
)
from app.framework.storage import StorageUnavailable
from tests.unit.eventsourcing.shelf import (
    Labelled,
    LabelTaken,
    Put,
    Shelf,
    Taken,
    label,
    new_store,
    process,
    put,
)

SHELVES = AggregateType("shelf", Shelf, claim_scopes={"label": LabelTaken})
REGISTRY = EventRegistry([Put, Taken, Labelled])


class Steps:
    """Implements Progress: the numbers that were shown, by what they are of."""

    def __init__(self) -> None:
        self.shown: dict[str, list[int]] = {}

    @contextlib.contextmanager
    def __call__(self, description: str, total: int, *, done: int) -> Iterator["Steps"]:
        """Show the first number."""
        self._numbers = self.shown.setdefault(f"{description}, of {total}", [done])
        yield self

    def at(self, done: int) -> None:
        """Show a number."""
        self._numbers.append(done)


class Killed(BaseException):
    """The process came to an end."""


class Dying:
    """A StoredLog whose process is killed at its nth call, before it or after it."""

    def __init__(self, log: StoredLog, call: int, *, after: bool) -> None:
        self._log = log
        self._call = call
        self._after = after
        self._calls = itertools.count()

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            is_last = next(self._calls) == self._call
            if is_last and not self._after:
                raise Killed
            result = await getattr(self._log, name)(*arguments, **named)
            if is_last:
                raise Killed
            return result

        return call


async def filled(shelves: int = 30, things: int = 3) -> MemoryEventStore:
    """A store of so many shelves, each with a label and so many things, one after the other."""
    store = new_store()
    repository = process(store)
    for number in range(things + 1):
        for shelf in range(shelves):
            decide = put(f"thing {number}") if number else label(f"label {shelf}")
            await repository.transact(str(shelf), decide)
    return store


async def exported(store: MemoryEventStore) -> bytes:
    """The log of `store` as a file would hold it."""
    stream = io.BytesIO()
    await export_log(MemoryStoredLog(store), LogStream(stream), Steps())
    return stream.getvalue()


async def export_to(path: Path, log: StoredLog, steps: Steps | None = None) -> None:
    """Export `log` to a file."""
    with contextlib.closing(LogFile(path)) as file:
        await export_log(log, file, steps or Steps())


async def import_from(
    path: Path, log: StoredLog, steps: Steps | None = None, **options: bool
) -> bool:
    """Import a file into `log`."""
    folds = Folds(REGISTRY, [SHELVES])
    with contextlib.closing(LogReader(path)) as file:
        return await import_log(log, file, folds, steps or Steps(), **options)


async def stored(log: StoredLog) -> list[StoredEvent]:
    """All that is stored."""
    return [*await log.read_stored(after=0, limit=1_000_000)]


Line = dict[str, Any]


def changed(path, number: int, change: Callable[[Line], object]) -> None:
    """Change a line of a file; the header has the number 0."""
    lines = path.read_bytes().splitlines(keepends=True)
    line = json.loads(lines[number])
    change(line)
    width = len(lines[number]) - 1 if number == 0 else 0
    lines[number] = json.dumps(line).ljust(width).encode() + b"\n"
    path.write_bytes(b"".join(lines))


class Twice(MemoryStoredLog):
    """A log that another process adds the same events to, a moment earlier."""

    async def add_events(self, events):
        """Add them for the other process, and then for this one."""
        await super().add_events(events)
        await super().add_events(events)


class Unavailable(MemoryStoredLog):
    """A log whose storage is away for one call, after it has done what was asked for or before."""

    away: ClassVar[list[str]] = ["add_events", "add_streams", "finish_import"]

    async def _lose(self, name: str, call: Callable[..., Awaitable[None]], *given: Any) -> None:
        if name in self.away:
            self.away.remove(name)
            if name != "add_events":
                await call(*given)
            raise StorageUnavailable("PostgreSQL", "no answer in time")
        await call(*given)

    async def add_events(self, events):
        """Add them at the second call."""
        await self._lose("add_events", super().add_events, events)

    async def add_streams(self, streams):
        """Add them, without an answer."""
        await self._lose("add_streams", super().add_streams, streams)

    async def finish_import(self, identity):
        """End it, without an answer."""
        await self._lose("finish_import", super().finish_import, identity)
