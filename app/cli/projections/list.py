"""`projections list`: the status of the read model."""

import asyncio
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from app.bootstrap import build
from app.cli.databases import shared_databases
from app.cli.output import AsJson, Cell, print_json, print_table
from app.framework.observability import logs
from app.framework.projections import BuildRecord, BuildState, ProjectionRecord, ProjectionState
from app.host.settings import Role, Settings

_HEADINGS = ("NAME", "BUILD", "VERSION", "IS", "POSITION", "HEAD", "LAG", "STATE", "HOLDER")

_STYLES = {
    ProjectionState.RUNNING: "green",
    ProjectionState.STOPPED: "red",
}
"""Of the other states: yellow."""


def run(*, as_json: AsJson = False) -> int:
    """Show each build of each projection: what it is for, its checkpoint, lag in events, and state.

    IS says what the build is for: one serves queries, others are built, or kept for going back.
    HEAD is the position of the last event of the log as last seen. HOLDER is the process that works
    on it. Retired builds are not shown.
    """
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    with shared_databases(settings) as ready:
        found = asyncio.run(_records(ready))
    builds = [
        (build, projection)
        for projection in found
        for build in projection.builds
        if build.state is not BuildState.RETIRED
    ]
    if as_json:
        print_json({"items": [document(*each) for each in builds]})
    else:
        print_table(_HEADINGS, [row(*each) for each in builds])
    return 0


async def _records(settings: Settings) -> Sequence[ProjectionRecord]:
    """What is stored: this process runs no projector."""
    asking = {Role.COMMANDS} if settings.needs_postgres else set()
    asking |= {Role.QUERIES} if settings.needs_mongodb else set()
    process = build(settings.model_copy(update={"roles": frozenset(asking)}))
    try:
        await process.check()
        return await process.projections()
    finally:
        await process.close()


def row(build: BuildRecord, projection: ProjectionRecord) -> tuple[Cell, ...]:
    """A row of the table; the error of a build follows its state."""
    status, state = build.status, build.activity(paused=projection.paused)
    words = f"{state}: {status.error}" if status.error else str(state)
    return (
        build.name,
        build.number,
        build.version,
        build.state,
        status.position,
        status.head,
        status.lag,
        Text(words, style=_STYLES.get(state, "yellow")),
        build.holder or "-",
    )


def document(build: BuildRecord, projection: ProjectionRecord) -> dict[str, Any]:
    """The members that GET /projections has."""
    status = build.status
    return {
        "name": build.name,
        "version": build.version,
        "position": status.position,
        "head": status.head,
        "lag": status.lag,
        "state": build.activity(paused=projection.paused),
        "last_error": status.error,
        "seen_at": status.seen_at,
        "build": build.number,
        "serves": build.id == projection.serving,
        "holder": build.holder,
        "held_since": build.held_since,
    }
