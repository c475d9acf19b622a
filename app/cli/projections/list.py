"""`projections list`: every build of every projection."""

from rich.text import Text

from app.cli.output import AsJson, Cell, print_json, print_table
from app.cli.projections.operating import (
    activity,
    differences,
    document,
    operate,
    rate,
    style,
    time_left,
)
from app.framework.administration import BuildDetails, ListProjections

_HEADINGS = ("NAME", "BUILD", "VERSION", "IS", "POSITION", "LAG", "PARKED", "STATE")


def run(*, as_json: AsJson = False) -> int:
    """Show each build of each projection: what it is for, how far it is, and what is wrong.

    IS says what the build is for: one serves queries, others are being built, or are kept for going
    back. LAG is in events, PARKED in documents. STATE says what is done on it, and by which
    process. Retired builds are not shown.
    """
    found = operate(lambda mediator: mediator.send(ListProjections()))
    if as_json:
        print_json({"items": [document(each) for each in found]})
    else:
        print_table(_HEADINGS, [row(build) for each in found for build in each.builds])
    return 0


def row(build: BuildDetails) -> tuple[Cell, ...]:
    """A row of the table."""
    numbers = (build.number, build.version)
    state = Text(_state(build), style=style(build))
    behind = (build.position, build.lag, build.parked)
    return (build.projection, *numbers, build.state, *behind, state)


def _state(build: BuildDetails) -> str:
    # The last column is the one that a narrow terminal folds.
    parts = [activity(build)]
    if build.holder:
        parts.append(f"on {build.holder}")
    if build.lag and build.rate:
        parts.append(f"at {rate(build)}, {time_left(build)} left")
    if build.comparison and build.comparison.differing and not build.serves:
        parts.append(f"({differences(build)})")
    return " ".join(parts)
