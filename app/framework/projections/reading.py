"""Reads the log onward from a checkpoint, and sees that it is still the same log."""

from collections.abc import Sequence

from app.framework.eventsourcing import EventLog, RecordedEvent, UnknownEvent
from app.framework.projections.checkpoint import Checkpoint
from app.framework.projections.losses import checked_mark


async def read_onward(
    log: EventLog, build: str, at: Checkpoint, limit: int
) -> Sequence[RecordedEvent]:
    """The next events, of the log from which those before were read; `at` gets their mark.

    The last event before is read again: a log that was restored to an earlier state, and has grown
    since, has another one there.

    Raises:
        LogRestored: it has.

    """
    overlap = 1 if at.position else 0
    try:
        events = await log.read(after=at.position - overlap, limit=limit + overlap)
    except UnknownEvent as error:
        if error.position != at.position:
            raise
        # A newer process has applied it, and this one may know those after it.
        return await log.read(after=at.position, limit=limit)
    if overlap:
        at.mark = checked_mark(build, at.position, at.mark, events)
    return events[overlap:]
