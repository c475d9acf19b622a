"""`projections replay`: parked documents are folded on."""

import asyncio
import sys
from collections.abc import Collection
from typing import Annotated

import typer

from app.cli.output import AsJson, print_json
from app.cli.projections.operating import Name, document, operate
from app.cli.projections.waiting import Waiting
from app.framework.administration import (
    GetBuild,
    ListParkedDocuments,
    ParkedDocuments,
    ReplayDocument,
    ReplayDocuments,
)
from app.framework.mediator import Mediator
from app.framework.observability.logs import escaped
from app.framework.projections import BuildState


def run(
    name: Name,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="The key of the document.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Replay all parked documents.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done.")] = False,
    as_json: AsJson = False,
) -> int:
    """Replay parked documents: apply their events, from the one that could not be applied.

    Deploy the corrected code first. The running projector does it, beside new events. Ctrl-C ends
    the wait, and leaves the replay running. The exit status is 1 if it was refused, or with --wait,
    if a document is still parked.
    """
    if (key is None) != every:
        raise typer.BadParameter("Name a document by its key, or use --all.")
    return operate(lambda mediator: replay(mediator, name, key, wait=wait, as_json=as_json))


async def replay(
    mediator: Mediator, name: str, key: str | None, *, wait: bool, as_json: bool
) -> int:
    """Replay the document of this key, or all; the exit status."""
    message = ReplayDocuments(name) if key is None else ReplayDocument(name, key)
    # Listed before: a holder may be done with them by the time of the answer.
    before = await mediator.send(ListParkedDocuments(name))
    keys = {each.key for each in before.items if key in (None, each.key)}
    found = (await mediator.send(message)).value
    status = 0
    if wait:
        why = await _end(mediator, found)
        found = await mediator.send(ListParkedDocuments(name))
        left = [each for each in found.items if each.key in keys]
        for each in left:
            reason = (
                why or f"it is parked at position {each.position:,}: {each.error.removesuffix('.')}"
            )
            sys.stderr.write(f"{escaped(each.key)} is not replayed: {escaped(reason)}.\n")
        status = 1 if left else 0
        keys -= {each.key for each in left}
    if as_json:
        print_json(document(found))
    elif keys or not status:
        sys.stdout.write(f"{_words(name, keys, is_done=wait)}\n")
    return status


def _words(name: str, keys: Collection[str], *, is_done: bool) -> str:
    if not keys:
        return f"No document of {name} is parked."
    documents = "1 document" if len(keys) == 1 else f"{len(keys):,} documents"
    if is_done:
        return f"Replayed {documents} of {name}."
    return f"{documents} of {name} to replay; `projections parked {name}` shows what is left."


async def _end(mediator: Mediator, asked: ParkedDocuments) -> str | None:
    """Wait until nothing is left to replay; why it does not go on, or None."""
    if asked.build is None:
        return None
    try:
        waiting = Waiting(mediator, await mediator.send(GetBuild(asked.projection, asked.build)))
        while waiting.build.replaying and await waiting.while_in(BuildState.SERVING):
            pass
    except asyncio.CancelledError:
        sys.stderr.write(
            f"\nThe replay goes on; `projections parked {asked.projection}` shows it.\n"
        )
        raise
    return waiting.stuck() if waiting.build.replaying else None
