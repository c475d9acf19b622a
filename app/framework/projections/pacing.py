"""How fast a projector works: its options, its rests, its rate."""

import asyncio
from dataclasses import dataclass

from app.framework.projections.ports import ProjectionState


@dataclass(frozen=True, slots=True)
class ProjectorOptions:
    """How a projector reads, waits and retries.

    batch: the most events applied at once.
    rest_seconds: the longest pause at the end of the log, in which events gather. The pause grows
        with the last batch: after one event it is a fiftieth of this.
    poll_seconds: how often it polls for events of other processes.
    heartbeat_seconds: how often it saves its status when there is nothing to apply.
    first_backoff_seconds, last_backoff_seconds: the pauses between retries; they double.
    tries: how often an event that cannot be applied is tried before its projection stops. When a
        storage fails, retries never end.
    share: the share of the time that a build may work which fills up beside a serving one.
    look_seconds: how often it looks for builds to work on.
    share_out_seconds: how long it leaves a free build to others, for each that it works on.
    give_up_seconds: how long it leaves a build alone on which it stopped.
    check_seconds: how often it looks whether the documents are still there.
    wait_seconds: how long it leaves a build to newer processes that has an event unknown to it.
    """

    batch: int = 2000
    rest_seconds: float = 0.1
    poll_seconds: float = 0.05
    heartbeat_seconds: float = 2.0
    first_backoff_seconds: float = 0.1
    last_backoff_seconds: float = 2.0
    tries: int = 6
    share: float = 0.5
    look_seconds: float = 0.5
    share_out_seconds: float = 0.1
    give_up_seconds: float = 30.0
    wait_seconds: float = 5.0
    check_seconds: float = 5.0

    def pause_after(self, state: ProjectionState) -> float | None:
        """How long a build is left alone that ended in `state`; None if it is not."""
        if state is ProjectionState.STOPPED:
            return self.give_up_seconds
        return self.wait_seconds if state is ProjectionState.WAITING else None


EVENTS_OF_A_FULL_REST = 50
"""After a batch of this size the rest is the longest."""


class Rest:
    """Ends the rests of all followers at the end of the log at the same time.

    So they continue together, and share their next read.
    """

    def __init__(self) -> None:
        self._until = 0.0

    async def take(self, seconds: float) -> None:
        """Rest for `seconds`, or until the end of a rest that is under way."""
        now = asyncio.get_running_loop().time()
        if self._until <= now:
            self._until = now + seconds
        await asyncio.sleep(self._until - now)


class Rate:
    """Events a second, over the last 10 seconds or so."""

    SECONDS = 10.0

    def __init__(self) -> None:
        self._since = asyncio.get_running_loop().time()
        self._events = 0.0

    def add(self, events: int) -> None:
        self._events += events

    def per_second(self) -> float:
        now = asyncio.get_running_loop().time()
        seconds = now - self._since
        rate = self._events / seconds if seconds else 0.0
        if seconds > self.SECONDS:
            self._since, self._events = now - self.SECONDS / 2, rate * self.SECONDS / 2
        return round(rate, 1)
