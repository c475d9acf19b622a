"""The command line: one module a command, imported when the command is called.

Expected errors are one line on standard error. The exit status is 2 for settings and arguments that
cannot be used, 1 for other errors, 0 after a requested stop, and 128 plus the signal's number for
work that a signal interrupted.
"""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import Any

from app import NAME
from app.framework.eventsourcing import EventSourcingError
from app.framework.mediator import MediatorError
from app.framework.misconfigured import Misconfigured
from app.framework.observability import logs
from app.framework.storage import StorageError
from app.host.server.listening import CannotListen
from app.host.server.stopping import handle
from app.host.settings import InvalidSettings

_COMMANDS = {
    "serve": "serve the API",
    "migrate": "bring the schema of PostgreSQL up to date",
    "projections": "show the lag of each projection",
    "openapi": "write the OpenAPI document",
}
"""The modules of this package that are commands, with their help. Each has a DESCRIPTION, an
`add_arguments` for its parser, and a `run`."""

_EXPECTED = (
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
    # The imports take a second: a Ctrl-C meanwhile ends the process at once, with no traceback.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = _parser(program).parse_args(arguments)
    signal.signal(signal.SIGINT, usual)
    logs.configure("warning", "console")  # until the settings are known
    for number in (signal.SIGTERM, signal.SIGHUP):
        handle(number, _leave)
    try:
        return int(options.run(options))
    except InvalidSettings as error:
        return _report(error, 2)
    except _EXPECTED as error:
        return _report(error, 1)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description=f"{NAME}: commands into PostgreSQL, queries from MongoDB.",
        epilog="Settings are environment variables, or lines in .env; .env.example lists them.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="command", required=True, parser_class=_Command
    )
    for name, does in _COMMANDS.items():
        commands.add_parser(name, help=does, module=f"{__name__}.{name}")
    return parser


class _Command(argparse.ArgumentParser):
    """The parser of a command; it imports the command's module when the command is called."""

    def __init__(self, *, module: str, **options: Any) -> None:
        super().__init__(**options)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        command = importlib.import_module(self._module)
        self.description = command.DESCRIPTION
        command.add_arguments(self)
        self.set_defaults(run=command.run)
        return super().parse_known_args(args, namespace)


def _leave(number: int, _: object) -> None:
    """Exit by an exception, so that `with` blocks stop what they started."""
    raise SystemExit(128 + number)


def _report(error: Exception, status: int) -> int:
    sys.stderr.write(f"{error}\n")
    return status
