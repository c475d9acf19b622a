"""The projector: follows the log and keeps the documents of projections up to date."""

import asyncio
from collections.abc import Sequence

from app.framework.eventsourcing import EventLog
from app.framework.projections.follower import Follower, ProjectorOptions, Rest
from app.framework.projections.ports import ProjectionStatus, ProjectionStore
from app.framework.projections.projection import Projection
from app.framework.projections.shared_log import SharedLog


class Projector:
    """Runs projections, each with its own position and checkpoint.

    A crash between any two steps of a batch, or a second projector, leads to the same documents:
    each document stores its position and never goes back.

    An event that cannot be applied is never skipped: it stops its projection, and no other.
    """

    def __init__(
        self,
        log: EventLog,
        store: ProjectionStore,
        projections: Sequence[Projection],
        *,
        options: ProjectorOptions | None = None,
    ) -> None:
        """Nothing is read or written before `run`."""
        shared, rest = SharedLog(log), Rest()
        self._followers = [
            Follower(shared, store, each, options or ProjectorOptions(), rest)
            for each in projections
        ]

    @property
    def statuses(self) -> list[ProjectionStatus]:
        return [each.status for each in self._followers]

    async def run(self) -> None:
        """Follow the log until `stop`."""
        async with asyncio.TaskGroup() as group:
            for each in self._followers:
                group.create_task(each.run(), name=f"projection {each.status.name}")

    def stop(self) -> None:
        """Have `run` return after the batches under way."""
        for each in self._followers:
            each.stop()
