"""`projections list`: the status of the read model."""

import asyncio
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from app.bootstrap import build
from app.cli.databases import shared_databases
from app.cli.output import AsJson, Cell, print_json, print_table
from app.framework.observability import logs
from app.framework.projections import ProjectionState, ProjectionStatus
from app.host.settings import Role, Settings

_HEADINGS = ("NAME", "VERSION", "POSITION", "HEAD", "LAG", "STATE")

_STYLES = {
    ProjectionState.RUNNING: "green",
    ProjectionState.STOPPED: "red",
}
"""Of the other states: yellow."""


def run(*, as_json: AsJson = False) -> int:
    """Show each projection: its version, checkpoint, lag in events, and state.

    HEAD is the position of the last event of the log as last seen.
    """
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    with shared_databases(settings) as ready:
        statuses = asyncio.run(_statuses(ready))
    if as_json:
        print_json({"items": [*map(document, statuses)]})
    else:
        print_table(_HEADINGS, [*map(row, statuses)])
    return 0


async def _statuses(settings: Settings) -> Sequence[ProjectionStatus]:
    """The stored statuses: this process runs no projector."""
    asking = {Role.COMMANDS} if settings.needs_postgres else set()
    asking |= {Role.QUERIES} if settings.needs_mongodb else set()
    process = build(settings.model_copy(update={"roles": frozenset(asking)}))
    try:
        await process.check()
        return await process.projections()
    finally:
        await process.close()


def row(status: ProjectionStatus) -> tuple[Cell, ...]:
    """A row of the table; the error of a projection follows its state."""
    numbers = (status.version, status.position, status.head, status.lag)
    state = f"{status.state}: {status.error}" if status.error else str(status.state)
    return (status.name, *numbers, Text(state, style=_STYLES.get(status.state, "yellow")))


def document(status: ProjectionStatus) -> dict[str, Any]:
    """The members that GET /projections has."""
    return {
        "name": status.name,
        "version": status.version,
        "position": status.position,
        "head": status.head,
        "lag": status.lag,
        "state": status.state,
        "last_error": status.error,
        "seen_at": status.seen_at,
    }
