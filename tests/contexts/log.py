"""Events as they stand in the log, and what projections make of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from app.framework.eventsourcing import Event, Metadata, RecordedEvent
from app.framework.projections import Document, Projection, fold

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def time_of(position: int) -> datetime:
    """When the event at `position` is recorded: a second after the one before."""
    return START + timedelta(seconds=position)


class Log(list[RecordedEvent]):
    """A log to write by hand, densely numbered, of streams of one type."""

    def __init__(self, stream_type: str) -> None:
        super().__init__()
        self._stream_type = stream_type
        self._versions: Counter[str] = Counter()

    def record(self, aggregate_id: str, *events: Event, actor: str | None = None) -> "Log":
        """Append `events`, which happened to this aggregate."""
        for each in events:
            self._versions[aggregate_id] += 1
            position = len(self) + 1
            self.append(
                RecordedEvent(
                    position=position,
                    stream_id=f"{self._stream_type}-{aggregate_id}",
                    version=self._versions[aggregate_id],
                    event=each,
                    metadata=Metadata(actor=actor),
                    recorded_at=time_of(position),
                )
            )
        return self


def documents(projection: Projection, log: Log) -> dict[str, Document]:
    """The documents of `projection` after `log`, by key."""
    return {key: each.document or {} for key, each in fold(projection, {}, log).items()}
