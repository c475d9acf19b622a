"""The event store in memory."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.framework.eventsourcing import (
    CLOCK_TOLERANCE,
    Append,
    Appended,
    Claim,
    ClaimTaken,
    DuplicateCommand,
    EncodedEvent,
    EventRegistry,
    LogClock,
    Metadata,
    Purged,
    Receipt,
    RecordedEvent,
    RecordedSnapshot,
    VersionConflict,
)
from app.framework.eventsourcing.signal import LogSignal
from app.framework.eventsourcing.store import LAST_VERSION, LOADED_AT_ONCE
from app.framework.storage import StorageUnavailable

Clock = Callable[[], datetime]
"""Returns the time, in UTC."""

Row = tuple[str, int, EncodedEvent, Metadata, datetime]
"""An event in its stored form: its stream, its version there, and so on; its place is its position.
"""


@dataclass(frozen=True, slots=True)
class _Mark:
    """The receipts that existed at a time."""

    receipts: frozenset[str]
    made_at: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryEventStore:
    """Implements EventStore and LogSource; each append is atomic.

    Each call yields to other tasks before its work, as a call to a server would.
    """

    def __init__(self, registry: EventRegistry, clock: Clock = _utc_now) -> None:
        self._registry = registry
        self._clock = clock
        self._identity = str(uuid4())
        # Like PostgreSQL it keeps the stored form, and every reader decodes it.
        self._log: list[Row] = []
        self._streams: dict[str, list[int]] = {}
        self._claims: dict[Claim, str] = {}
        self._receipts: dict[str, Receipt] = {}
        self._marks: list[_Mark] = []
        self._snapshots: dict[str, RecordedSnapshot] = {}
        self._signal = LogSignal()
        self.is_importing = False

    @property
    def is_empty(self) -> bool:
        return not (self._log or self._streams or self._claims or self._receipts or self._snapshots)

    def rows(self, start: int, end: int) -> Sequence[Row]:
        return self._log[start:end]

    def fill(self, identity: str, rows: Sequence[Row], claims: Mapping[Claim, str]) -> None:
        """Become the log `identity` of these events, whose streams hold these claims."""
        self._identity = identity
        self._log = list(rows)
        self._claims = dict(claims)
        for offset, (stream_id, *_) in enumerate(rows):
            self._streams.setdefault(stream_id, []).append(offset)
        self._signal.grown_to(len(self._log))

    async def append(self, append: Append) -> Appended:
        await asyncio.sleep(0)
        encoded = [self._registry.encode(each) for each in append.events]
        self._check(append)
        key, stream = append.idempotency_key, self._streams.get(append.stream_id, [])
        for claim in append.releases:
            if self._claims.get(claim) == append.stream_id:
                del self._claims[claim]
        self._claims.update(dict.fromkeys(append.claims, append.stream_id))
        now = self._now()
        self._streams[append.stream_id] = stream
        for each in encoded:
            stream.append(len(self._log))
            self._log.append((append.stream_id, len(stream), each, append.metadata, now))
        if key:
            self._receipts[key.value] = Receipt(key, append.stream_id, len(stream))
        if append.snapshot:
            self._snapshots[append.stream_id] = RecordedSnapshot(
                append.snapshot, len(stream), len(self._log), now
            )
        self._signal.grown_to(len(self._log))
        return Appended(version=len(stream), position=len(self._log), recorded_at=now)

    async def load(
        self, stream_id: str, *, after_version: int = 0, up_to_version: int = LAST_VERSION
    ) -> Sequence[RecordedEvent]:
        await asyncio.sleep(0)
        end = min(up_to_version, after_version + LOADED_AT_ONCE)
        stream = self._streams.get(stream_id, [])
        return [self._recorded(each) for each in stream[after_version:end]]

    async def load_from_snapshot(
        self,
        stream_id: str,
        *,
        snapshot_version: int,
        after_version: int = 0,
        up_to_version: int = LAST_VERSION,
    ) -> tuple[RecordedSnapshot | None, Sequence[RecordedEvent]]:
        kept = self._snapshots.get(stream_id)
        of_use = kept and after_version < kept.version <= up_to_version
        if not (kept and of_use and kept.snapshot.version == snapshot_version):
            kept = None
        after_version = kept.version if kept else after_version
        return kept, await self.load(
            stream_id, after_version=after_version, up_to_version=up_to_version
        )

    async def receipt(self, key: str) -> Receipt | None:
        await asyncio.sleep(0)
        return self._receipts.get(key)

    async def check_appends(self) -> None:
        pass

    async def purge_receipts(self, *, marks: int, interval: timedelta) -> Purged:
        await asyncio.sleep(0)
        now, went_back = self._clock(), timedelta(0)
        if self._marks and self._marks[-1].made_at > now + CLOCK_TOLERANCE:
            went_back = self._marks[-1].made_at - now
            self._marks[-1] = replace(self._marks[-1], made_at=now)
        if not self._marks or now >= self._marks[-1].made_at + interval:
            self._marks.append(_Mark(frozenset(self._receipts), now))
        if len(self._marks) <= marks:
            return Purged(0, went_back)
        self._marks = self._marks[-marks - 1 :]
        old = self._marks[0].receipts & self._receipts.keys()
        for key in old:
            del self._receipts[key]
        return Purged(len(old), went_back)

    async def read(self, *, after: int, limit: int) -> Sequence[RecordedEvent]:
        await asyncio.sleep(0)
        return [self._recorded(each) for each in range(after, min(after + limit, len(self._log)))]

    async def head(self) -> int:
        await asyncio.sleep(0)
        return len(self._log)

    async def identity(self) -> str:
        await asyncio.sleep(0)
        return self._identity

    async def clock(self) -> LogClock:
        """The clock is that of this process."""
        await asyncio.sleep(0)
        return LogClock(self._log[-1][4] if self._log else None, self._clock())

    async def wait(self, *, after: int, seconds: float) -> None:
        await self._signal.wait(after=after, seconds=seconds)

    def _check(self, append: Append) -> None:
        if self.is_importing:
            raise StorageUnavailable("The log", "it is being imported")
        key = append.idempotency_key
        if key and key.value in self._receipts:
            raise DuplicateCommand(self._receipts[key.value])
        version = len(self._streams.get(append.stream_id, []))
        if version != append.expected_version:
            raise VersionConflict(append.stream_id, append.expected_version, version)
        for claim in append.claims:
            if self._claims.get(claim, append.stream_id) != append.stream_id:
                raise ClaimTaken(claim)

    def _recorded(self, offset: int) -> RecordedEvent:
        stream_id, version, encoded, metadata, recorded_at = self._log[offset]
        return RecordedEvent(
            position=offset + 1,
            stream_id=stream_id,
            version=version,
            event=self._registry.decode_at(
                offset + 1, encoded.type, encoded.schema_version, {**encoded.data}
            ),
            metadata=metadata,
            recorded_at=recorded_at,
        )

    def _now(self) -> datetime:
        now = self._clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return max(now, self._log[-1][4]) if self._log else now
