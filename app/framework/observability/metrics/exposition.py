"""The numbers of all processes of a service, in Prometheus's text format."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from app.framework.observability.metrics.declarations import (
    Count,
    Distribution,
    Metric,
    Reach,
    declared,
    full_name,
)
from app.framework.observability.metrics.slots import Report

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PROCESS = "process"
"""The label that names a process."""

_States = dict[tuple[str, ...], Any]


def text_of(reports: Sequence[Report]) -> bytes:
    """The text for the numbers in `reports`, the first of which is of the process that answers.

    It takes some milliseconds.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(reports))
    return generate_latest(registry)


class _Collected(Collector):
    """Implements the library's port for numbers that are kept elsewhere."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self._reports = reports

    def collect(self) -> Iterator[Family]:
        yield _family(
            "gauge",
            full_name("up"),
            "Whether a process of the service has reported lately.",
            [PROCESS],
            {(each.process,): float(each.is_live) for each in self._reports},
        )
        for metric in declared().values():
            labels = metric.labels
            if metric.reach is Reach.PROCESS:
                labels = (*labels, PROCESS)
            states, kind = self._states(metric), metric.kind
            yield _family(kind, metric.name, metric.meaning, labels, states, metric.bounds)
        yield from _of_the_system([each for each in self._reports if each.is_live])

    def _states(self, metric: "Metric[Count] | Metric[Distribution]") -> _States:
        if metric.reach is Reach.SERVICE:
            return {values: cell.state for values, cell in metric.cells.items()}
        found: _States = {}
        for each in self._reports:
            if metric.kind == "gauge" and not each.is_live:
                continue
            own = each.states.get(metric.name, ())
            if metric.reach is Reach.PROCESS:
                found.update({(*values, each.process): state for values, state in own})
            else:
                for values, state in own:
                    _add(found, tuple(values), state)
        return found


def _add(found: _States, values: tuple[str, ...], state: Any) -> None:
    before = found.get(values)
    if before is None:
        found[values] = state
    elif isinstance(state, int | float):
        found[values] = before + state
    else:
        (counts, total), (more, further) = before, state
        found[values] = [a + b for a, b in zip(counts, more, strict=True)], total + further


def _family(
    kind: str,
    name: str,
    meaning: str,
    labels: Sequence[str],
    states: Mapping[tuple[str, ...], Any],
    bounds: Sequence[float] = (),
) -> Family:
    if kind == "histogram":
        histogram = HistogramMetricFamily(name, meaning, labels=labels)
        names = [*(str(float(each)) for each in bounds), "+Inf"]
        for values, (counts, total) in states.items():
            buckets = list(zip(names, accumulate(counts), strict=True))
            histogram.add_metric(values, buckets, total)
        return histogram
    numbers = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    family = numbers(name, meaning, labels=labels)
    for values, value in states.items():
        family.add_metric(values, value)
    return family


def _of_the_system(reports: Iterable[Report]) -> Iterator[Family]:
    """What the system knows of each process: time, memory, descriptors."""
    families: dict[str, Family] = {}
    for report in reports:
        for found in _system_collector(report.pid).collect():
            family = families.setdefault(
                found.name, Family(found.name, found.documentation, found.type)
            )
            for each in found.samples:
                family.add_sample(each.name, {PROCESS: report.process}, each.value)
    yield from families.values()


def _system_collector(pid: int) -> ProcessCollector:
    return ProcessCollector(pid=lambda: pid, registry=None)
