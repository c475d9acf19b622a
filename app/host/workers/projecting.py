"""A process that projects, and answers no requests."""

import asyncio
import contextlib
from multiprocessing.connection import Connection
from types import FrameType

import uvloop

from app.framework.eventsourcing.signal import LogSignal
from app.host.process import Process
from app.host.server.stopping import StopRequest
from app.host.tuning import CLOSE_SECONDS, tune
from app.host.workers.child import Link
from app.host.workers.growth import GrowthLine


def project(
    process: Process, signal: LogSignal, line: GrowthLine, link: Link, stop: StopRequest
) -> None:
    """Run the projector of `process` until a stop is requested, or the supervisor has ended.

    Positions from `line` are forwarded to `signal`, which the projector waits for.
    """
    tune()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(process, signal, line, link, stop))


class _Projecting:
    """What a signal stops. Implements Stoppable."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.stopped = asyncio.Event()

    @property
    def should_exit(self) -> bool:
        return self.stopped.is_set()

    @should_exit.setter
    def should_exit(self, stops: bool) -> None:
        if stops:
            self.stopped.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a port
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has stopped
            self._loop.call_soon_threadsafe(self.stopped.set)

    def abandon(self, lifeline: Connection) -> None:
        """Stop: the supervisor has ended."""
        self._loop.remove_reader(lifeline)
        self.stopped.set()


async def _run(
    process: Process, signal: LogSignal, line: GrowthLine, link: Link, stop: StopRequest
) -> None:
    projecting = _Projecting()
    asyncio.get_running_loop().add_reader(link.lifeline, projecting.abandon, link.lifeline)
    stop.hand_to(projecting)
    try:
        with line.forwarding(signal):
            await process.open()
            link.serves()
            await projecting.stopped.wait()
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await process.close()
