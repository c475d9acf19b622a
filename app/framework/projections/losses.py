"""What tells that a build no longer belongs to its log, or has lost its documents.

Databases are restored from backups, and dropped. A checkpoint alone does not show it: a log that
was restored grows past it again, and documents may be gone while it is there.
"""

import hashlib
from collections.abc import Sequence

from app.framework.eventsourcing import RecordedEvent
from app.framework.projections.builds import Condemned
from app.framework.projections.ports import ProjectionStore


class LogRestored(Exception):
    """The log does not have the event that a build applied last."""

    verdict = Condemned.LOG_RESTORED

    def __init__(self, build: str, position: int) -> None:
        super().__init__(
            f"The log no longer has the event at position {position} that {build} applied last: it "
            "was restored to an earlier state, or is another log. If it is the right one, rebuild "
            "the views from it: python -m app projections rebuild --all"
        )


class DocumentsLost(Exception):
    """The documents of a build are not those that were stored."""

    verdict = Condemned.DOCUMENTS_LOST

    def __init__(self, build: str) -> None:
        super().__init__(
            f"The collection {build} was dropped or replaced since its checkpoint was saved: its "
            "documents are lost, and are rebuilt from the log."
        )


CONDEMNING = (LogRestored, DocumentsLost)


def mark_of(recorded: RecordedEvent) -> str:
    """Tells an event from another one at the same position of a log that was restored."""
    text = f"{recorded.stream_id} {recorded.version} {recorded.recorded_at.isoformat()}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def checked_mark(
    build: str, position: int, mark: str | None, events: Sequence[RecordedEvent]
) -> str:
    """The mark of the first of `events`, which must be the one at `position` that `mark` is of.

    Without `mark`, a checkpoint of an older version, any event at that position will do.

    Raises:
        LogRestored: it is another, or there is none.

    """
    first = present(build, position, events)[0]
    found = mark_of(first)
    if first.position != position or mark not in (None, found):
        raise LogRestored(build, position)
    return found


def present(build: str, position: int, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
    """`events`, which were read of a log that had at least `position`.

    Raises:
        LogRestored: there are none.

    """
    if not events:
        raise LogRestored(build, position)
    return events


async def check_documents(store: ProjectionStore, build: str, documents: str | None) -> None:
    """Return if the documents of a build are where they were stored, if that is known.

    Raises:
        DocumentsLost: they are not.
        StorageUnavailable: the storage cannot be reached.

    """
    if documents is not None and await store.identity(build) != documents:
        raise DocumentsLost(build)
