"""`python -m benchmarks`."""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.comparisons import COMPARISONS, Turns, compare
from benchmarks.effort import FULL, QUICK, Effort
from benchmarks.figures import Figure
from benchmarks.growth import long_logs, long_runs, long_streams
from benchmarks.mediators import mediators
from benchmarks.plots import draw
from benchmarks.profiling import profile
from benchmarks.projecting import catching_up, lag
from benchmarks.report import Report, machine, say
from benchmarks.servers import ROOT, DidNotStart, run
from benchmarks.workers import workers
from benchmarks.world import (
    SERVICE_NAME,
    Contender,
    Databases,
    baselines,
    databases,
    environment,
    service,
)
from benchmarks.wrk import WrkMissing, WrongAnswer, find_wrk

BUILD = ROOT / "build" / "bench"
PARTS = ("requests", "lag", "memory", "catching-up", "workers", "growth", "streams", "mediators")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; 1 when something was wrong, never because it was slow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="what fits into two minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    scenarios = [each.scenario for each in COMPARISONS]
    parser.add_argument("--profile", choices=scenarios, help="sample the service instead")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    try:
        find_wrk()
        with _folder() as folder, databases(folder) as on:
            if options.profile:
                _profile(on, options.profile, effort)
            else:
                report = _measure(on, effort, frozenset(options.only))
                if effort is FULL and options.only == PARTS:
                    report.write_page(ROOT / "docs" / "benchmarks.md")
    except (WrkMissing, WrongAnswer, DidNotStart) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(on: Databases, effort: Effort, parts: frozenset[str]) -> Report:
    report = Report(asyncio.run(machine(on)))
    if parts & {"requests", "lag", "memory"}:
        with service(on, "requests", users=effort.users) as contender:
            contender.settled()
            _on_one_service(on, contender, effort, parts, report)
    if "growth" in parts:
        for turns, figures in long_logs(on, effort):
            _add(report, turns, figures)
    others: dict[str, Callable[[], Iterator[Figure]]] = {
        "catching-up": lambda: catching_up(on, effort),
        "streams": lambda: long_streams(on, effort),
        "workers": lambda: workers(on, effort),
        "mediators": mediators,
    }
    for part, measure in others.items():
        for figure in measure() if part in parts else ():
            report.add(figure)
    report.write(BUILD)
    for file in draw(report.turns, BUILD):
        say(f"Drawn: {file}")
    return report


def _on_one_service(
    on: Databases, contender: Contender, effort: Effort, parts: frozenset[str], report: Report
) -> None:
    if "requests" in parts:
        with baselines(on, users=effort.users) as plain:
            contenders = {SERVICE_NAME: contender, **plain}
            for turns, figures in compare(contenders, effort, on.folder):
                _add(report, turns, figures)
    if "lag" in parts:
        for figure in lag(on, "requests", contender, effort):
            report.add(figure)
    if "memory" in parts:
        for figure in long_runs(on, contender, effort):
            report.add(figure)
    _verify(on, "requests")


def _add(report: Report, turns: Turns, figures: Iterable[Figure]) -> None:
    report.turns.append(turns)
    for figure in figures:
        report.add(figure)


def _verify(on: Databases, name: str) -> None:
    """Hold every document against a fold of the log: what was fast was right, too."""
    say(run("app", "projections", "verify", **environment(on, name)).strip())


def _profile(on: Databases, scenario: str, effort: Effort) -> None:
    with service(on, "profile", users=effort.users) as contender:
        contender.settled()
        profile(on, contender, scenario, effort)


if __name__ == "__main__":
    sys.exit(main())
