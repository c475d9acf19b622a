"""The command line: one module a command, imported when the command is called.

Errors are one line on standard error; only settings have a line each. The exit status is 2 for
settings and arguments that cannot be used, 1 for other expected errors, 0 after a requested stop,
and 128 plus the signal's number for work that a signal interrupted.
"""

import signal
import sys
from collections.abc import Sequence

import typer

from app import NAME
from app.cli.commands import Group, LazyCommand
from app.framework.administration import AdministrationError
from app.framework.eventsourcing import EventSourcingError
from app.framework.mediator import MediatorError
from app.framework.misconfigured import Misconfigured
from app.framework.observability import logs
from app.framework.storage import StorageError
from app.host.server.listening import CannotListen
from app.host.server.stopping import handle
from app.host.settings import InvalidSettings
from app.host.workers.errors import StartFailed

COMMANDS = Group(
    LazyCommand("serve", "app.cli.serve", "Serve the API."),
    LazyCommand("migrate", "app.cli.migrate", "Bring the schema of PostgreSQL up to date."),
    LazyCommand("token", "app.cli.development_token", "Make a token for development."),
    Group(
        LazyCommand("list", "app.cli.projections.list", "Show all builds (the default)."),
        LazyCommand("show", "app.cli.projections.show", "Show everything about a projection."),
        LazyCommand("pause", "app.cli.projections.pause", "Pause the work on a projection."),
        LazyCommand("resume", "app.cli.projections.resume", "Resume the work on a projection."),
        LazyCommand("rebuild", "app.cli.projections.rebuild", "Make a projection anew."),
        LazyCommand("serve", "app.cli.projections.serve", "Let another build serve queries."),
        LazyCommand("retire", "app.cli.projections.retire", "Give up a build for good."),
        LazyCommand(
            "parked", "app.cli.projections.parked", "Show the documents that lack an event."
        ),
        LazyCommand("replay", "app.cli.projections.replay", "Apply what parked documents lack."),
        LazyCommand(
            "verify",
            "app.cli.projections.verify",
            "Compare every document with a fold of the log, and repair what differs.",
        ),
        name="projections",
        default="list",
        help="Show, rebuild, pause and verify the projections.",
    ),
    Group(
        LazyCommand("create", "app.cli.keys.create", "Make an API key, and print it once."),
        LazyCommand("list", "app.cli.keys.list", "Show all API keys (the default)."),
        LazyCommand("revoke", "app.cli.keys.revoke", "Revoke an API key for good."),
        LazyCommand("sync", "app.cli.keys.sync", "Write the list of API keys to MongoDB again."),
        name="keys",
        default="list",
        help="Make, show and revoke API keys.",
    ),
    LazyCommand("export", "app.cli.export", "Write the log to a file."),
    LazyCommand("import", "app.cli.import_log", "Bring an exported log into an empty database."),
    LazyCommand("openapi", "app.cli.openapi", "Write the OpenAPI document."),
    help=f"{NAME}: commands into PostgreSQL, queries from MongoDB.",
    epilog="Settings are environment variables, or lines in .env; .env.example lists them.",
    context_settings={"help_option_names": ["--help", "-h"]},
)

_EXPECTED = (
    AdministrationError,
    CannotListen,
    EventSourcingError,
    MediatorError,
    Misconfigured,
    StorageError,
)


def main(arguments: Sequence[str] | None = None, program: str = "python -m app") -> int:
    """Run the command in `arguments`, by default those of the process; return the exit status.

    program: the name of the program in its help.
    """
    logs.configure("warning", "console")  # until the settings are known
    for number in (signal.SIGTERM, signal.SIGHUP):
        handle(number, _leave)
    try:
        return int(COMMANDS.main(arguments, program, standalone_mode=False))
    except typer.TyperException as error:
        return _report(_with_a_hint(error), error.exit_code)
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        return _report(error, status)


def status_of(error: Exception) -> int | None:
    """The exit status for an expected error, whose message is for people; None for others."""
    if isinstance(error, StartFailed):
        return error.status
    if isinstance(error, InvalidSettings):
        return 2
    return 1 if isinstance(error, _EXPECTED) else None


def _leave(number: int, _: object) -> None:
    """Exit by an exception, so that `with` blocks stop what they started."""
    raise SystemExit(128 + number)


def _with_a_hint(error: typer.TyperException) -> str:
    """What is wrong, and for arguments that cannot be used where to look."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    stop = "" if message.endswith((".", "?")) else "."
    return f"{message}{stop} See {context.command_path} --help."


def _report(error: Exception | str, status: int) -> int:
    sys.stderr.write(f"{error}\n")
    return status
