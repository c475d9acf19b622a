"""What a process measures of the builds that it works on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter

from app.framework.eventsourcing import RecordedEvent
from app.framework.observability.metrics import SECONDS, counter, gauge, histogram

_EVENTS = counter("projected_events_total", "Events that builds have applied.", "projection")
_BATCHES = histogram(
    "projection_batch_seconds",
    "How long builds took for a batch: to read, fold, store, and save the checkpoint.",
    "projection",
)
_DELAYS = histogram(
    "projection_delay_seconds",
    "The age of the first event of a batch when its effect was stored, without rebuilds.",
    "projection",
    bounds=(*SECONDS, 10, 30, 60, 300),
)
_FAILURES = counter(
    "projection_failures_total",
    "Batches that failed and are tried again: as a database was away, or as the fold or the store "
    "refused an event.",
    "projection",
    "kind",
)
_HELD = gauge("leases_held", "Builds that the process works on.")
_LOST = counter("leases_lost_total", "Leases that another process has taken over.")
_LOST.of()


class Measures:
    """The numbers of one projection."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._events = _EVENTS.of(projection)
        self._batches = _BATCHES.of(projection)
        self._delays = _DELAYS.of(projection)
        self._began = 0.0
        for kind in ("outage", "refusal"):
            _FAILURES.of(projection, kind)

    def begin(self) -> None:
        """A step begins."""
        self._began = perf_counter()

    def applied(self, events: Sequence[RecordedEvent], *, rebuilds: bool) -> None:
        """The events of the step are applied; `rebuilds` if they are old ones."""
        self._events.value += len(events)
        self._batches.observe(perf_counter() - self._began)
        if not rebuilds:
            age = datetime.now(UTC) - events[0].recorded_at
            self._delays.observe(max(0.0, age.total_seconds()))

    def failed(self, kind: str) -> None:
        """The step failed: as of an "outage" or a "refusal"."""
        _FAILURES.of(self._projection, kind).value += 1


def measure_leases(held: int) -> None:
    """The process works on so many builds."""
    _HELD.of().value = held


def measure_lost(leases: int) -> None:
    """So many leases were lost."""
    _LOST.of().value += leases
