"""How the log and the lag moved in the last minutes, as this process saw them."""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from app.console.processes import reads_of, refusals_of
from app.framework.observability.metrics.slots import Report, all_reports
from app.framework.projections import ProjectionRecord
from app.framework.storage import StorageUnavailable

EVERY_SECONDS = 5.0
WINDOW_SECONDS = 15 * 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at a moment.

    at: by a clock that only goes forward, in seconds.
    head: the position of the last event of the log; None if it was not known.
    reads: how many requests for reading the processes of this port have answered.
    refusals: how many requests of clients over their limit they have refused.
    lags: of the build of each projection that serves; without those that were not known.
    """

    at: float
    time: datetime
    head: int | None
    reads: int | None
    refusals: int
    lags: Mapping[str, int]


class Watched(Protocol):
    """The process that is watched."""

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection, as far as the process can know."""
        ...


class Sampler:
    """Takes a sample every few seconds, and keeps those of the last minutes.

    reports: of the processes that share a port, when the last sample was taken.
    read_at: when that was, in seconds since the epoch.
    """

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._samples: deque[Sample] = deque(maxlen=int(WINDOW_SECONDS / EVERY_SECONDS) + 1)
        self._task: asyncio.Task[None] | None = None
        self.reports: Sequence[Report] = ()
        self.read_at = 0.0

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples, the oldest first."""
        return list(self._samples)

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="console samples")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.take()
            except Exception:  # noqa: BLE001 - the next may succeed
                _log.exception("No sample could be taken for the console.")
            await asyncio.sleep(EVERY_SECONDS)

    async def take(self) -> None:
        """Take a sample now; one without values if the storage does not answer."""
        try:
            records = await self._watched.projections()
        except StorageUnavailable:
            records = ()
        builds = {each.name: build for each in records if (build := each.serving_build)}
        heads = [it.status.head for it in builds.values() if it.status.head is not None]
        lags = {name: lag for name, it in builds.items() if (lag := it.status.lag) is not None}
        at = asyncio.get_running_loop().time()
        self.reports, self.read_at = all_reports(), time.time()
        head, reads = max(heads, default=None), reads_of(self.reports)
        refusals = refusals_of(self.reports)
        self._samples.append(Sample(at, datetime.now(UTC), head, reads, refusals, lags))


def rates(
    samples: Sequence[Sample], of: Literal["head", "reads", "refusals"]
) -> Sequence[float | None]:
    """How fast a number grew from each sample to the next, in a second; None if not known."""
    found: list[float | None] = []
    for before, after in itertools.pairwise(samples):
        one: int | None = getattr(before, of)
        other: int | None = getattr(after, of)
        if one is None or other is None or after.at <= before.at:
            found.append(None)
        else:
            found.append(max(0, other - one) / (after.at - before.at))
    return found
