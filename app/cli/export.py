"""`export`: the log, as JSON lines."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.postgres import PostgresStoredLog
from app.cli.auditing import audited
from app.cli.databases import shared_databases
from app.cli.progress import progress
from app.framework.eventsourcing.archive import (
    CannotExport,
    Header,
    LogFile,
    LogStream,
    export_log,
    through_outages,
)
from app.framework.observability import logs
from app.host.settings import Role, Settings


def run(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="By default standard output.")
    ] = None,
) -> int:
    """Write the log to FILE as JSON lines: a header, then an event a line, as they are stored.

    If FILE holds a part of this log, the rest is added, also after an export that was killed. The
    service may run meanwhile: what it appends after the start is left for the next export.
    """
    settings = Settings.load().model_copy(update={"roles": frozenset({Role.COMMANDS})})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    with shared_databases(settings) as ready, audited("export", "export_log"):
        assert ready.database_url
        header = asyncio.run(_export(ready.database_url, file))
    sys.stderr.write(f"Log {header.identity} is exported up to position {header.position:,}.\n")
    return 0


async def _export(url: str, path: Path | None) -> Header:
    log = PostgresStoredLog(url)
    try:
        await log.check()
        if path is None:
            return await export_log(log, LogStream(sys.stdout.buffer), progress)
        return await through_outages(lambda: _to_file(log, path))
    except OSError as error:
        raise CannotExport(f"{path or 'Standard output'}: {error.strerror}.") from error
    finally:
        await log.close()


async def _to_file(log: PostgresStoredLog, path: Path) -> Header:
    with contextlib.closing(LogFile(path)) as file:
        return await export_log(log, file, progress)
