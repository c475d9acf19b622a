"""Commands whose modules are imported when they are called."""

import importlib
import signal
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class LazyCommand(TyperCommand):
    """A command in a module of its own; its group lists it without an import.

    The module has a function `run`: its parameters are the options, its docstring is the help, and
    its result is the exit status.
    """

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, short_help=summary, rich_markup_mode=None)
        self.module = module

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(self.name)(_imported(self.module).run)
        return get_command(alone).make_context(info_name, args, parent, **extra)


class Group(TyperGroup):
    """Commands under a name.

    default: the command that is called if the arguments name none.
    """

    def __init__(self, *commands: LazyCommand | TyperGroup, default: str = "", **said: Any) -> None:
        super().__init__(commands=commands, rich_markup_mode=None, **said)
        self._default = default

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        names_none = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if self._default and names_none:
            args = [self._default, *args]
        return super().parse_args(ctx, args)


def _imported(module: str) -> ModuleType:
    # The imports take a second: a Ctrl-C meanwhile ends the process at once, with no traceback.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return importlib.import_module(module)
    finally:
        signal.signal(signal.SIGINT, usual)
