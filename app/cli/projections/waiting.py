"""Waits for a build, and shows how far it is."""

import asyncio
import sys

from app.cli.progress import progress
from app.cli.projections.operating import differences
from app.framework.administration import BuildDetails, GetBuild
from app.framework.mediator import Mediator
from app.framework.observability.outages import note_outage
from app.framework.projections import BuildState, ProjectionState, TakeOver
from app.framework.storage import StorageUnavailable

POLL_SECONDS = 0.25
IDLE_SECONDS = 20.0
"""How long no process may work on a build before the wait ends: longer than a lease is taken
over."""


class Waiting:
    """Follows a build to its end."""

    def __init__(self, mediator: Mediator, build: BuildDetails) -> None:
        self._mediator = mediator
        self.build = build
        self._seen_at = asyncio.get_running_loop().time()

    async def while_in(self, *states: BuildState) -> bool:
        """Wait for a moment, and look; whether it is still in one of `states`, and goes on."""
        await asyncio.sleep(POLL_SECONDS)
        try:
            self.build = await self._mediator.send(
                GetBuild(self.build.projection, self.build.number)
            )
        except StorageUnavailable as error:
            note_outage(error.storage, error)
            return True
        return self.build.state in states and self.stuck() is None

    def stuck(self) -> str | None:
        """Why it does not go on; None if it does."""
        name, found = self.build.projection, self.build.activity
        now = asyncio.get_running_loop().time()
        if found is ProjectionState.PAUSED:
            return f"{name} is paused; it goes on after `projections resume {name}`"
        if found is ProjectionState.STOPPED:
            return f"it stopped: {self.build.last_error}"
        if found is not ProjectionState.ABSENT:
            self._seen_at = now
        if now - self._seen_at > IDLE_SECONDS:
            return "no process works on it; it goes on when a projector runs"
        return None


async def wait_for(mediator: Mediator, begun: BuildDetails) -> tuple[BuildDetails, int]:
    """The build when it is done or does not go on, and an exit status.

    The status is 0 if it serves, or is ready to as it was asked to be.
    """
    label = f"Build {begun.number} of {begun.projection}"
    waiting = Waiting(mediator, begun)
    with progress(label, begun.head) as bar:
        while await waiting.while_in(BuildState.BUILDING):
            bar.at(waiting.build.position or 0, waiting.build.head)
        bar.at(waiting.build.position or 0, waiting.build.head)
    if waiting.build.state is BuildState.COMPARING:
        sys.stderr.write(f"{label}: comparing it with the build that serves.\n")
        while await waiting.while_in(BuildState.COMPARING):
            pass
    if _takes_over(waiting.build):
        while await waiting.while_in(BuildState.READY):
            pass
    words, status = _end(waiting)
    sys.stderr.write(f"{label}: {words}.\n")
    return waiting.build, status


def _takes_over(build: BuildDetails) -> bool:
    is_equal = build.comparison is not None and not build.comparison.differing
    return build.state is BuildState.READY and build.take_over is TakeOver.WHEN_EQUAL and is_equal


def _end(waiting: Waiting) -> tuple[str, int]:
    build = waiting.build
    serve = f"`projections serve {build.projection} {build.number}`"
    if build.state is BuildState.SERVING:
        return f"it serves; {differences(build)}", 0
    if build.state is BuildState.KEPT:
        return "it served, and another build does by now", 0
    if build.state is BuildState.READY and build.take_over is TakeOver.ON_REQUEST:
        return f"it is ready; {differences(build)}; {serve} lets it serve", 0
    if build.state is BuildState.READY and build.comparison and build.comparison.differing:
        keys = ", ".join(build.comparison.keys[:10])
        so = f"{serve} lets it serve nevertheless"
        return f"it does not take over, as {differences(build)}, such as {keys}; {so}", 1
    return waiting.stuck() or f"it is {build.state}", 1
