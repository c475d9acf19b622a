"""What is measured: counters, gauges and histograms, in plain Python.

The library's own count at 0.5 to 2.3 microseconds, as they lock and write to a file for other
processes: a request has ten of them. These take 0.05 to 0.2.
"""

import enum
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from app import IDENTIFIER

CHILDREN = 2000
"""How many combinations of label values a metric may have. Declared labels have few; this holds if
one of them turns out to be what clients send."""

OTHER = "other"
"""The label values of all further combinations."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
"""Bounds for durations. An objective has to be one of them: a write in 25 ms, a read in 10 ms, a
read that waits for its view in 2 s (CONSISTENCY_TIMEOUT), any answer in 5 s, as promised."""

_CONVENTIONAL = ("http_server_", "process_", "python_")
"""How names begin that others have given; all others begin with the name of the service."""

Kind = Literal["counter", "gauge", "histogram"]


class Reach(enum.Enum):
    """What a number is about, where a service has several processes.

    SUMMED: the service; the numbers of its processes are added up.
    PROCESS: one process, which a label `process` names.
    SERVICE: the service; the process that answers for all sets it just before.
    """

    SUMMED = "all processes"
    PROCESS = "each process"
    SERVICE = "service"


class Count:
    """A number. A counter's only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    @property
    def state(self) -> float:
        """What `state` of another process takes."""
        return self.value

    @state.setter
    def state(self, value: float) -> None:
        self.value = value

    def reset(self) -> None:
        self.value = 0


class Distribution:
    """How often values came up to each of some bounds, and their sum.

    counts: for each bound those above the bound before, and in the end those above all.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum: float = 0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def state(self) -> tuple[Sequence[int], float]:
        """What `state` of another process takes."""
        return [*self.counts], self.sum

    @state.setter
    def state(self, value: tuple[Sequence[int], float]) -> None:
        counts, self.sum = value
        if len(counts) == len(self.counts):  # the bounds are those of this version of the service
            self.counts = [*counts]

    def reset(self) -> None:
        self.counts, self.sum = [0] * len(self.counts), 0


def full_name(name: str) -> str:
    """The name of a metric as Prometheus gets it."""
    return name if name.startswith(_CONVENTIONAL) else f"{IDENTIFIER}_{name}"


CellT = TypeVar("CellT", Count, Distribution)


class Metric(Generic[CellT]):
    """A metric; `cells` has a number for each combination of label values that came up."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        meaning: str,
        labels: Sequence[str],
        reach: Reach,
        new: Callable[[], CellT],
        bounds: Sequence[float] = (),
    ) -> None:
        self.name = full_name(name)
        self.kind: Kind = kind
        self.meaning = meaning
        self.labels = tuple(labels)
        self.reach = reach
        self.bounds = bounds
        self._new: Callable[[], CellT] = new
        self.cells: dict[tuple[str, ...], CellT] = {}

    def of(self, *values: str) -> CellT:
        """The number for these label values; keep it, where it is needed again and again."""
        cell = self.cells.get(values)
        return self._add(values) if cell is None else cell

    def _add(self, values: tuple[str, ...]) -> CellT:
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {', '.join(self.labels) or 'none'}.")
        if len(self.cells) >= CHILDREN:
            values = (OTHER,) * len(values)
        return self.cells.setdefault(values, self._new())

    def known(self, *values: str) -> "Metric[CellT]":
        """This metric, which begins at zero for each of these values of its only label.

        Prometheus sees no first increase of a series that begins with it.
        """
        for each in values:
            self.of(each)
        return self

    def clear(self) -> None:
        """Forget all numbers, as what they are about may be gone; cells that are kept are lost."""
        self.cells.clear()


_declared: "dict[str, Metric[Count] | Metric[Distribution]]" = {}


def declared() -> "Mapping[str, Metric[Count] | Metric[Distribution]]":
    """All metrics of the modules that are loaded, by their names."""
    return _declared


def counter(name: str, meaning: str, *labels: str, reach: Reach = Reach.SUMMED) -> Metric[Count]:
    """Declare what only grows; its name ends in _total."""
    return _keep(Metric(name, "counter", meaning, labels, reach, Count))


def gauge(name: str, meaning: str, *labels: str, reach: Reach = Reach.PROCESS) -> Metric[Count]:
    """Declare what goes up and down."""
    return _keep(Metric(name, "gauge", meaning, labels, reach, Count))


def histogram(
    name: str,
    meaning: str,
    *labels: str,
    bounds: Sequence[float] = SECONDS,
    reach: Reach = Reach.SUMMED,
) -> Metric[Distribution]:
    """Declare what is distributed, durations as a rule."""
    return _keep(
        Metric(name, "histogram", meaning, labels, reach, lambda: Distribution(bounds), bounds)
    )


MetricT = TypeVar("MetricT", Metric[Count], Metric[Distribution])


def _keep(metric: MetricT) -> MetricT:
    if metric.name in _declared:
        raise ValueError(f"{metric.name} is declared twice.")
    _declared[metric.name] = metric
    return metric
