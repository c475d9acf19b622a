"""Which traces go on where their events are projected."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from app.framework.eventsourcing import RecordedEvent
from app.framework.observability import tracing

RECENT = timedelta(minutes=15)
"""A trace of older events has long been looked at: a rebuild must not write into all of them."""


def traces_of(events: Sequence[RecordedEvent]) -> Collection[str]:
    """The `traceparent` of each request that recorded some of `events` lately."""
    if not tracing.is_on():
        return ()
    since = datetime.now(UTC) - RECENT
    found = (each.metadata.traceparent for each in events if each.recorded_at > since)
    return dict.fromkeys(each for each in found if each is not None)
