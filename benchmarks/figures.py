"""What is measured: ratios with their spread, held against targets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at least, or at most, so much."""

    sense: Literal["at least", "at most"]
    value: float

    def met_by(self, value: float) -> bool:
        """Whether `value` is as it should be."""
        return value >= self.value if self.sense == "at least" else value <= self.value


def at_least(value: float) -> Target:
    """The target of a figure that should be large."""
    return Target("at least", value)


def at_most(value: float) -> Target:
    """The target of a figure that should be small."""
    return Target("at most", value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    what: what was measured, and against what.
    value, low, high: the median of all rounds, and the least and greatest of them.
    unit: of the value; none for a ratio.
    absolute: the times and rates behind it, in words; they say more of the machine.
    """

    what: str
    value: float
    low: float
    high: float
    unit: str = ""
    target: Target | None = None
    absolute: str = ""


def figure(
    what: str,
    values: Sequence[float],
    *,
    unit: str = "",
    target: Target | None = None,
    absolute: str = "",
) -> Figure:
    """The figure of what came of several rounds."""
    return Figure(what, statistics.median(values), min(values), max(values), unit, target, absolute)
