"""Charts of the last minutes, as paths of an SVG; the page has their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.console.formats import number
from app.console.sampling import EVERY_SECONDS, WINDOW_SECONDS, Sample, rates

WIDTH, HEIGHT = 1000, 100
_GAP_SECONDS = 3 * EVERY_SECONDS

_Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    path, area: what SVG draws.
    last, highest: its values; None if it has none.
    """

    name: str
    path: str
    area: str
    last: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same minutes, with the value at the top of the chart."""

    title: str
    unit: str
    top: float
    lines: Sequence[Line]
    minutes: int = round(WINDOW_SECONDS / 60)

    @property
    def words(self) -> str:
        """What the chart shows, for those who do not see it."""
        seen = [
            f"{each.name}: now {number(each.last)}, at most {number(each.highest)}"
            for each in self.lines
        ]
        said = "; ".join(seen) or "nothing was seen yet"
        return f"{self.title}, {self.unit}, in the last {self.minutes} minutes. {said}."


def lag_chart(samples: Sequence[Sample]) -> Chart:
    """How many events each view was behind."""
    names = sorted({name for each in samples for name in each.lags})
    points: dict[str, list[_Point]] = {
        name: [(each.at, each.lags.get(name)) for each in samples] for name in names
    }
    return _chart("Lag", "events behind the log", points, _now(samples), least=10)


def traffic_chart(samples: Sequence[Sample]) -> Chart:
    """How many events were recorded, and how many reads answered."""
    times = [each.at for each in samples[1:]]
    points: dict[str, list[_Point]] = {
        "events written": list(zip(times, rates(samples, "head"), strict=True)),
        "reads answered": list(zip(times, rates(samples, "reads"), strict=True)),
    }
    return _chart("Traffic", "a second", points, _now(samples), least=1)


def _now(samples: Sequence[Sample]) -> float:
    """The right end of a chart: it moves with the samples, so that it is not drawn in between."""
    return samples[-1].at if samples else 0.0


def _chart(
    title: str, unit: str, series: dict[str, list[_Point]], now: float, least: float
) -> Chart:
    values = [it for points in series.values() for _, it in points if it is not None]
    top = _round_up(max([least, *values]))
    lines = [_line(name, points, now, top) for name, points in series.items()]
    return Chart(title, unit, top, lines)


def _line(name: str, points: Sequence[_Point], now: float, top: float) -> Line:
    runs: list[list[tuple[float, float]]] = []
    before: float | None = None
    for at, value in points:
        if value is None:
            before = None
            continue
        if before is None or at - before > _GAP_SECONDS:
            runs.append([])
        x = WIDTH * (1 - (now - at) / WINDOW_SECONDS)
        runs[-1].append((max(0.0, x), HEIGHT * (1 - value / top)))
        before = at
    values = [value for _, value in points if value is not None]
    return Line(
        name,
        path=" ".join(_drawn(run) for run in runs),
        area=" ".join(_filled(run) for run in runs),
        last=points[-1][1] if points else None,
        highest=max(values, default=None),
    )


def _drawn(run: Sequence[tuple[float, float]]) -> str:
    # A single point would not be seen.
    run = [*run, (run[0][0] + 1, run[0][1])] if len(run) == 1 else run
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in run)


def _filled(run: Sequence[tuple[float, float]]) -> str:
    return f"{_drawn(run)} L{run[-1][0]:.1f},{HEIGHT} L{run[0][0]:.1f},{HEIGHT} Z"


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ..."""
    step = 1.0
    while True:
        for each in (1, 2, 5):
            if value <= each * step:
                return each * step
        step *= 10
