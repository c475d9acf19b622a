"""`projections`: the status of the read model."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from app.bootstrap import build
from app.cli import verify
from app.cli.databases import shared_databases
from app.framework.observability import logs
from app.framework.projections import ProjectionStatus
from app.host.settings import Role, Settings

_HEADINGS = ("NAME", "VERSION", "POSITION", "HEAD", "LAG", "STATE")


DESCRIPTION = (
    "Show each projection: its version, its checkpoint, the head of the log, its lag in events, "
    "and its state."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(
        title="commands", metavar="command", parser_class=argparse.ArgumentParser
    )
    verify.add_to(commands)


def run(_: argparse.Namespace) -> int:
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    with shared_databases(settings) as ready:
        statuses = asyncio.run(_statuses(ready))
    sys.stdout.write(table(statuses))
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


def table(statuses: Sequence[ProjectionStatus]) -> str:
    """`statuses` in aligned columns; the error of a projection follows its state."""
    rows = [_HEADINGS, *map(_row, statuses)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )


def _row(status: ProjectionStatus) -> tuple[str, ...]:
    numbers = (status.version, status.position, status.head, status.lag)
    state = f"{status.state}: {status.error}" if status.error else str(status.state)
    return (status.name, *("?" if each is None else str(each) for each in numbers), state)
