"""`import`: an exported log into an empty database."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.postgres import PostgresStoredLog
from app.bootstrap import CONTEXTS, event_registry
from app.cli.auditing import audited
from app.cli.databases import shared_databases
from app.cli.progress import progress
from app.framework.eventsourcing.archive import Folds, LogReader, import_log, through_outages
from app.framework.observability import logs
from app.host.settings import Role, Settings


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made by `export`.")],
    *,
    new_identity: Annotated[
        bool,
        typer.Option(
            "--new-identity",
            help="Make it a log of its own, for a copy that lives on beside the exported log.",
        ),
    ] = False,
) -> int:
    """Bring the exported log in FILE into a database that is migrated and has no events.

    An import that was killed goes on when it is run again with the same FILE. Until it is complete
    no service starts on the database. A FILE that cannot be imported changes nothing.
    """
    settings = Settings.load().model_copy(update={"roles": frozenset({Role.COMMANDS})})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    with (
        contextlib.closing(LogReader(file)) as reader,
        shared_databases(settings) as ready,
        audited("import", "import_log"),
    ):
        assert ready.database_url
        is_new = asyncio.run(_import(ready.database_url, reader, keeps_identity=new_identity))
        header = reader.header
    done = "is imported" if is_new else "was imported before"
    as_what = ", as a log of its own" if new_identity else ""
    sys.stdout.write(
        f"Log {header.identity} {done}, up to position {header.position:,}{as_what}.\n"
    )
    return 0


async def _import(url: str, file: LogReader, *, keeps_identity: bool) -> bool:
    log = PostgresStoredLog(url)
    aggregates = [each for context in CONTEXTS for each in context.aggregates]
    folds = Folds(event_registry(), aggregates)
    try:
        await log.check(unfinished=True)
        return await through_outages(
            lambda: import_log(log, file, folds, progress, keeps_identity=keeps_identity)
        )
    finally:
        await log.close()
