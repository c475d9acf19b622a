"""Metrics, for Prometheus.

    _REFUSED = counter("queue_refusals_total", "Items that found a queue full.", "queue")

    _REFUSED.of("appends").value += 1

A metric is declared once, beside what measures it, as a logger is. Measuring costs a fraction of a
microsecond: it changes a number in memory. `exposition` writes the numbers of all processes of a
service in Prometheus's format, and `slots` is how the one that is asked knows those of the others.
"""

from app.framework.observability.metrics.declarations import (
    SECONDS,
    Count,
    Distribution,
    Metric,
    Reach,
    counter,
    declared,
    gauge,
    histogram,
)

__all__ = [
    "SECONDS",
    "Count",
    "Distribution",
    "Metric",
    "Reach",
    "counter",
    "declared",
    "gauge",
    "histogram",
]
