"""`projections rebuild`: a projection made anew, beside the build that serves."""

import enum
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.output import AsJson, print_json
from app.cli.projections.operating import document, operate
from app.cli.projections.waiting import wait_for
from app.framework.administration import (
    AdministrationError,
    BeginBuild,
    BuildDetails,
    ListProjections,
)
from app.framework.mediator import Mediator
from app.framework.projections import TakeOver


class WhenToTakeOver(enum.StrEnum):
    """When a rebuild takes the place of the build that serves."""

    WHEN_EQUAL = TakeOver.WHEN_EQUAL.value
    ON_REQUEST = TakeOver.ON_REQUEST.value


def run(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The name of the projection.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Rebuild every projection.")] = False,
    take_over: Annotated[
        WhenToTakeOver,
        typer.Option(help="Once it equals the build that serves, or by `serve` only."),
    ] = WhenToTakeOver.WHEN_EQUAL,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show how far it is, until it is done.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Rebuild a projection from the whole log, beside the build that serves.

    Running projectors make the build, for the share of their time that REBUILD_SHARE allows, and
    compare it. Ctrl-C ends the wait, and leaves the rebuild running. The exit status is 1 if it was
    refused, or with --wait, if it differs or cannot go on.
    """
    if (name is None) != every:
        raise typer.BadParameter("Name a projection, or use --all.")
    begun: list[BuildDetails] = []
    try:
        return operate(
            lambda mediator: _rebuild(
                mediator, name, TakeOver(take_over), begun, wait=wait, as_json=as_json
            )
        )
    except KeyboardInterrupt:
        if begun:
            names = begun[0].projection if len(begun) == 1 else "NAME"
            sys.stderr.write(
                f"\nThe rebuild goes on; `projections show {names}` shows how far it is.\n"
            )
        raise


async def _rebuild(
    mediator: Mediator,
    name: str | None,
    take_over: TakeOver,
    begun: list[BuildDetails],
    *,
    wait: bool,
    as_json: bool,
) -> int:
    found = await mediator.send(ListProjections()) if name is None else ()
    names = [each.name for each in found] if name is None else [name]
    refused = 0
    for each in names:
        try:
            outcome = await mediator.send(BeginBuild(each, take_over))
        except AdministrationError as error:
            if name is not None:
                raise
            sys.stderr.write(f"{error}\n")
            refused = 1
        else:
            begun.append(outcome.value)
            sys.stderr.write(f"Build {outcome.value.number} of {each} has begun.\n")
    ended: Sequence[BuildDetails] = begun
    if wait:
        waits = [await wait_for(mediator, each) for each in begun]
        ended = [build for build, _ in waits]
        refused = max([refused, *(status for _, status in waits)])
    if as_json:
        print_json({"items": [document(each) for each in ended]})
    return refused
