"""What is measured of every queue."""

from time import perf_counter

from app.framework.observability.metrics.declarations import SECONDS, counter, gauge, histogram

_LENGTH = gauge("queue_length", "Items that wait.", "queue")
_REFUSED = counter("queue_refusals_total", "Items that found the queue full.", "queue")
_SIZES = histogram(
    "batch_size",
    "Items that went out in one call.",
    "queue",
    bounds=(1, 2, 4, 8, 16, 32, 64, 128),
)
_WAITS = histogram(
    "batch_wait_seconds",
    "How long the first item of a batch waited for its call.",
    "queue",
    bounds=(0.0001, *SECONDS),
)
_CALLS = histogram("batch_call_seconds", "How long the call of a batch took.", "queue")


class QueueMeasures:
    """The numbers of a queue; several queues may have one name, and are measured together."""

    __slots__ = ("_calls", "_sizes", "_waits", "length", "refused")

    def __init__(self, queue: str) -> None:
        self.length = _LENGTH.of(queue)
        self.refused = _REFUSED.of(queue)
        self._sizes = _SIZES.of(queue)
        self._waits = _WAITS.of(queue)
        self._calls = _CALLS.of(queue)

    def begin(self, size: int, since: float) -> float:
        """Measure a call that begins, whose first item came at `since`; when it began."""
        began = perf_counter()
        self._sizes.observe(size)
        self._waits.observe(began - since)
        return began

    def end(self, began: float) -> None:
        """Measure the end of the call."""
        self._calls.observe(perf_counter() - began)


def count_refusal(queue: str) -> None:
    """Count an item that a queue without batches has refused."""
    _REFUSED.of(queue).value += 1
