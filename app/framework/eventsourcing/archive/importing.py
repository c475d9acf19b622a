"""Import: a file into an empty log, with the claims that its streams hold."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.framework.eventsourcing.aggregate_type import AggregateType
from app.framework.eventsourcing.archive.log_file import AT_ONCE, LogReader
from app.framework.eventsourcing.archive.log_format import is_same
from app.framework.eventsourcing.archive.progress import Progress
from app.framework.eventsourcing.archive.stored_log import (
    CannotImport,
    Held,
    ImportPlace,
    StoredEvent,
    StoredLog,
)
from app.framework.eventsourcing.errors import MisplacedEvent, UnreadableEvent
from app.framework.eventsourcing.registry import EventRegistry
from app.framework.eventsourcing.store import LAST_VERSION

_logger = logging.getLogger(__name__)


async def import_log(
    log: StoredLog,
    file: LogReader,
    folds: "Folds",
    progress: Progress,
    *,
    keeps_identity: bool = False,
) -> bool:
    """Bring all of `file` into `log`, which is empty or holds a part of this import.

    Returns False if all of it was there already. The log takes over the identity of the one in the
    file, unless it `keeps_identity`.

    Raises:
        CannotImport: `log` is another one, or the file is damaged; the log is as it was before.
        AnotherImport: another process imports into it.
        StorageUnavailable: the log cannot be reached; a later call goes on.

    """
    if await _is_there(log, file):
        return False
    identity, end = file.header.identity, file.header.position
    place = await log.begin_import(identity, end)
    await _check_same(log, file, place)
    try:
        await _add_events(log, file, place, progress)
        await _add_streams(log, folds, place, progress, end)
    except (CannotImport, UnreadableEvent) as error:
        await log.discard_import()
        raise CannotImport(f"Nothing was imported. {error}") from error
    await log.finish_import(await log.identity() if keeps_identity else identity)
    return True


async def _is_there(log: StoredLog, file: LogReader) -> bool:
    """Whether an import of `file` was finished, as by a process that ended before it said so."""
    header = file.header
    if not await log.head() or await log.identity() != header.identity or file.last is None:
        return False
    stored = await log.read_stored(after=header.position - 1, limit=1)
    return bool(stored) and is_same(stored[0], file.last)


async def _check_same(log: StoredLog, file: LogReader, place: ImportPlace) -> None:
    if not place.position:
        return
    stored = await log.read_stored(after=place.position - 1, limit=1)
    if not is_same(stored[0], file.event_at(place.position)):
        raise CannotImport(
            f"The file's event at position {place.position} is not the one that an unfinished "
            "import has brought. Import the file that it began with, or make a new database."
        )


async def _add_events(
    log: StoredLog, file: LogReader, place: ImportPlace, progress: Progress
) -> None:
    done, end = place.position, file.header.position
    with progress("Importing events", end, done=done) as bar:
        for events in file.batches(done):
            await log.add_events(events)
            bar.at(events[-1].position)


async def _add_streams(
    log: StoredLog, folds: "Folds", place: ImportPlace, progress: Progress, end: int
) -> None:
    last, version, done = place.stream_id, LAST_VERSION, place.folded
    fold: _Fold | None = None
    with progress("Rebuilding claims", end, done=done) as bar:
        while events := await log.read_streams(after=last, after_version=version, limit=AT_ONCE):
            held: list[Held] = []
            for event in events:
                if fold is None or event.stream_id != fold.stream_id:
                    held += [fold.held()] if fold else []
                    fold = folds.of(event.stream_id)
                fold.add(event)
            if held:
                await log.add_streams(held)
            last, version, done = events[-1].stream_id, events[-1].version, done + len(events)
            bar.at(done)
        if fold:
            await log.add_streams([fold.held()])


class Folds:
    """Folds streams into what they hold, by the aggregate types of their ids."""

    def __init__(self, registry: EventRegistry, types: Sequence[AggregateType[Any]]) -> None:
        self._registry = registry
        self._types: Mapping[str, AggregateType[Any]] = {each.stream_type: each for each in types}
        self._unknown: set[str] = set()

    def of(self, stream_id: str) -> "_Fold":
        stream_type = stream_id.partition("-")[0]
        known = self._types.get(stream_type)
        if known is None and stream_type not in self._unknown:
            self._unknown.add(stream_type)
            _logger.warning(
                "This version has no aggregates of the stream type %s: claims that they may hold "
                "are not rebuilt.",
                stream_type,
            )
        aggregate = known.aggregate if known and known.claim_scopes else None
        return _Fold(stream_id, aggregate, self._registry)


@dataclass(slots=True)
class _Fold:
    """A stream up to its `version`.

    aggregate: what it is folded into; None if it holds no claims.
    """

    stream_id: str
    aggregate: type[Any] | None
    registry: EventRegistry
    version: int = field(default=0, init=False)
    state: Any = field(default=None, init=False)

    def add(self, event: StoredEvent) -> None:
        if event.version != self.version + 1:
            raise CannotImport(
                f"The stream {self.stream_id} has no version {self.version + 1}; the next, "
                f"{event.version}, is at position {event.position}."
            )
        self.version = event.version
        if self.aggregate is None:
            return
        decoded = self.registry.decode_at(
            event.position, event.type, event.schema_version, json.loads(event.data)
        )
        try:
            self.state = self.aggregate.evolve(self.state, decoded)
        except Exception as error:
            raise MisplacedEvent(event.type, error).at(event.position) from error

    def held(self) -> Held:
        claims = self.state.claims() if self.aggregate else ()
        return Held(self.stream_id, self.version, tuple(dict.fromkeys(claims)))
