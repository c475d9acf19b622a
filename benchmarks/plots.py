"""Pictures of what was measured, one a scenario: throughput and latency against connections."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparisons import Turns


def draw(turns: Sequence[Turns], folder: Path) -> list[Path]:
    """Draw each scenario that was run at several numbers of connections; the files."""
    scenarios = dict.fromkeys(each.scenario for each in turns)
    drawn = []
    for scenario in scenarios:
        of_it = [each for each in turns if each.scenario == scenario]
        by_connections = [each for each in of_it if "events" not in next(iter(each.by_name))]
        by_size = [each for each in of_it if each not in by_connections]
        if len(by_connections) > 1:
            drawn.append(_lines(scenario, by_connections, folder / f"{scenario}.svg"))
        if by_size:
            drawn.append(_bars(scenario, by_size[0], folder / f"{scenario}_growth.svg"))
    return drawn


def _lines(scenario: str, turns: Sequence[Turns], file: Path) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes a second to import

    picture = Figure(figsize=(10, 4), layout="constrained")
    throughput, latency = picture.subplots(1, 2)
    connections = [each.connections for each in turns]
    for name in turns[0].by_name:
        (line,) = throughput.plot(
            connections, [each.rate(name) for each in turns], marker="o", label=name
        )
        for percentile, style in enumerate(("-", ":")):
            latency.plot(
                connections,
                [each.latency(name)[percentile] for each in turns],
                style,
                marker="o",
                color=line.get_color(),
            )
    throughput.set(title=scenario, xlabel="connections", ylabel="answers/s", xscale="log")
    throughput.set_ylim(bottom=0)
    throughput.legend()
    latency.set(title="p50 solid, p99 dotted", xlabel="connections", ylabel="ms")
    latency.set(xscale="log", yscale="log")
    for each in (throughput, latency):
        each.set_xticks(connections, [str(number) for number in connections])
    picture.savefig(file)
    return file


def _bars(scenario: str, turns: Turns, file: Path) -> Path:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    picture = Figure(figsize=(5, 4), layout="constrained")
    axes = picture.subplots()
    axes.bar(list(turns.by_name), [turns.rate(name) for name in turns.by_name])
    axes.set(title=f"{scenario}, {turns.connections} connections", ylabel="answers/s")
    picture.savefig(file)
    return file
