"""`projections verify`: compares the read model with a fold of the log."""

import asyncio
import sys

from app.bootstrap import all_projections, build
from app.cli.databases import shared_databases
from app.framework.observability import logs
from app.framework.projections import Audit, Projection, ProjectionState, audit
from app.host.process import Process
from app.host.settings import Role, Settings

_POLL_SECONDS = 0.1


def run() -> int:
    """Compare every stored document with a fold of the whole log in memory.

    The projections are brought up to the head of the log first. Positions and versions must have no
    gap either. The service may run meanwhile. A line is printed for each projection, and one for
    each difference (or the first of many). The exit status is 1 if anything differs.
    """
    settings = Settings.load().model_copy(update={"roles": frozenset({Role.PROJECTOR})})
    logs.configure(settings.log_level, settings.log_format)
    with shared_databases(settings) as ready:
        return asyncio.run(_verify(build(ready)))


async def _verify(process: Process) -> int:
    differing = 0
    try:
        await process.open()
        assert process.log
        assert process.read_model
        head = await process.log.head()
        for projection in all_projections():
            build = await _reached(process, projection, head)
            if build is None:
                continue
            found = await audit(process.log, process.read_model, projection, build=build, head=head)
            sys.stdout.write(report(found))
            sys.stdout.flush()
            differing += found.differing
    finally:
        await process.close()
    return 1 if differing else 0


async def _reached(process: Process, projection: Projection, head: int) -> str | None:
    """The build of `projection` to look at, once it is at `head` or has stopped; None if none."""
    while True:
        for record in await process.projections():
            serving = record.serving_build
            if record.name == projection.name and serving is not None:
                if serving.version != projection.version:
                    return None
                is_over = serving.status.state is ProjectionState.STOPPED
                if serving.position >= head or is_over or not process.is_projecting:
                    return serving.id
        await asyncio.sleep(_POLL_SECONDS)


def report(found: Audit) -> str:
    """What an audit found, in lines."""
    ahead = f", {found.ahead} changed since and not compared" if found.ahead else ""
    compared = f"{found.events} events, {found.documents} documents"
    lines = [f"{found.projection.id}: {compared}, {found.differing} differences{ahead}"]
    lines += (f"  {each}" for each in found.differences)
    if found.differing > len(found.differences):
        lines.append(f"  ... and {found.differing - len(found.differences)} more")
    return "".join(f"{line}\n" for line in lines)
