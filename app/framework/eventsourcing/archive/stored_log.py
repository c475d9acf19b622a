"""The port of export and import: the log in its stored form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.framework.eventsourcing.errors import EventSourcingError
from app.framework.eventsourcing.store import Claim

FIRST_STREAM = ""
"""Sorts before the id of every stream."""


class CannotExport(EventSourcingError):
    """The log cannot be exported to this file; the file is unchanged."""


class CannotImport(EventSourcingError):
    """The file cannot be imported into this log, which is as it was before."""


class AnotherImport(EventSourcingError):
    """Another process imports into this log, or has ended this import."""

    def __init__(self) -> None:
        super().__init__("Another process imports into this log; let one of them finish.")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in its stored form: neither decoded nor upcast.

    data, metadata: JSON objects, as text.
    recorded_at: in UTC.
    """

    position: int
    stream_id: str
    version: int
    type: str
    schema_version: int
    data: str
    metadata: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What a stream comes to: its version, and the claims that it holds."""

    stream_id: str
    version: int
    claims: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class ImportPlace:
    """How far an import has come.

    position: of the last event that it has added; 0 before the first.
    stream_id: the last stream, in the order of their ids, whose claims it has rebuilt; FIRST_STREAM
        before the first.
    folded: how many events the streams up to that one have.
    """

    position: int
    stream_id: str
    folded: int


class StoredLog(Protocol):
    """The log in its stored form. An import fills an empty one; every call of it is atomic.

    Until an import is finished nothing can be appended, readers of the log find it empty, and a
    crash of the storage may take it back to an earlier call. Afterwards it is durable.
    """

    async def identity(self) -> str:
        """Identifies this log.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def head(self) -> int:
        """The position of the last event; 0 for an empty log, and while an import is unfinished.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def read_stored(self, *, after: int, limit: int) -> Sequence[StoredEvent]:
        """The next events past position `after`, at most `limit`.

        Those that an unfinished import has added are among them.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def begin_import(self, identity: str, position: int) -> ImportPlace:
        """Begin the import of the log `identity` up to `position`, or go on with it.

        Raises:
            CannotImport: this log has events, or another import into it is unfinished.
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        """Add the next events; there is at least one.

        Raises:
            CannotImport: the storage refuses an event.
            AnotherImport: these are not the next ones.
            StorageUnavailable: the outcome is unknown.

        """
        ...

    async def read_streams(
        self, *, after: str, after_version: int, limit: int
    ) -> Sequence[StoredEvent]:
        """The next events of all streams, at most `limit`, by stream id and version.

        Past version `after_version` of the stream `after`.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...

    async def add_streams(self, streams: Sequence[Held]) -> None:
        """Record the versions and claims of the next streams, in the order of their ids.

        Raises:
            CannotImport: two streams hold one claim.
            AnotherImport: they are recorded, or there is no import.
            StorageUnavailable: the outcome is unknown.

        """
        ...

    async def finish_import(self, identity: str) -> None:
        """End the import: from now on this is the log `identity`, complete.

        Raises:
            AnotherImport: there is no import.
            StorageUnavailable: the outcome is unknown.

        """
        ...

    async def discard_import(self) -> None:
        """Undo the import: the log is empty again.

        Raises:
            StorageUnavailable: the outcome is unknown.

        """
        ...
