"""`projections show`: everything about one projection."""

import sys
from collections.abc import Callable

from rich.text import Text

from app.cli.output import AsJson, Cell, print_json, print_table
from app.cli.projections.operating import (
    Name,
    activity,
    differences,
    document,
    operate,
    rate,
    style,
    time_left,
    time_of,
)
from app.framework.administration import BuildDetails, GetProjection, ProjectionDetails

_KEYS = 10


def run(name: Name, *, as_json: AsJson = False) -> int:
    """Show a projection: which build serves, and a column for each build.

    Builds that were retired are not shown.
    """
    found = operate(lambda mediator: mediator.send(GetProjection(name)))
    if as_json:
        print_json(document(found))
        return 0
    sys.stdout.write(summary(found))
    headings = ("", *(f"BUILD {each.number}" for each in found.builds))
    print_table(headings, rows(found))
    return 0


def summary(found: ProjectionDetails) -> str:
    """The projection, in a line."""
    serving = "no build" if found.serving is None else f"build {found.serving}"
    resume = f" It is paused; `projections resume {found.name}` has it go on."
    return f"{found.name}: {serving} serves.{resume if found.paused else ''}\n"


def rows(found: ProjectionDetails) -> list[tuple[Cell, ...]]:
    """A row for each property, with a cell for each build."""
    shown: dict[str, Callable[[BuildDetails], Cell]] = {
        "is": lambda it: it.state,
        "state": lambda it: Text(activity(it), style=style(it)),
        "version": lambda it: it.version,
        "collection": lambda it: it.collection,
        "position": lambda it: it.position,
        "head": lambda it: it.head,
        "lag": lambda it: it.lag,
        "parked": _parked,
        "rate": rate,
        "time left": time_left,
        "holder": lambda it: it.holder or "-",
        "held since": lambda it: time_of(it.held_since),
        "last seen": lambda it: time_of(it.seen_at),
        "takes over": lambda it: it.take_over,
        "comparison": differences,
        "such as": _keys,
    }
    return [(name, *(cell(each) for each in found.builds)) for name, cell in shown.items()]


def _parked(build: BuildDetails) -> str:
    replaying = f" ({build.replaying:,} to be replayed)" if build.replaying else ""
    return f"{build.parked:,}{replaying}"


def _keys(build: BuildDetails) -> str:
    keys = build.comparison.keys if build.comparison else ()
    more = ", ..." if len(keys) > _KEYS else ""
    return ", ".join(keys[:_KEYS]) + more or "-"
