"""The checkpoint of a build: how far it is, with the documents that are parked."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from app.framework.projections.build_store import BuildStore
from app.framework.projections.builds import Lease
from app.framework.projections.pacing import Rate
from app.framework.projections.parking import Parked
from app.framework.projections.ports import ProjectionState, ProjectionStatus


class Checkpoint:
    """What the holder of a lease has saved last.

    position, mark: of the last event whose effect is stored.
    parked: the parked documents by key; replaced, never changed.
    status: as it was saved.
    """

    def __init__(
        self, store: BuildStore, lease: Lease, status: ProjectionStatus, logger: logging.Logger
    ) -> None:
        self._store = store
        self._lease = lease
        self._logger = logger
        self._rate = Rate()
        self._saved_at = 0.0
        self.position = lease.position
        self.mark = lease.mark
        self.parked: Mapping[str, Parked] = {each.key: each for each in lease.parked}
        self.status = status

    @property
    def age_seconds(self) -> float:
        """How long ago it was saved."""
        return asyncio.get_running_loop().time() - self._saved_at

    async def save_here(
        self,
        parked: Mapping[str, Parked],
        *,
        replayed: Collection[str] = (),
        changed: Collection[str] = (),
    ) -> None:
        """Save it where it is, at the end of the log; see `save`."""
        at = self.position
        await self.save(
            position=at,
            head=at,
            mark=self.mark,
            parked=parked,
            replayed=replayed,
            changed=changed,
        )

    async def save(
        self,
        *,
        position: int,
        head: int,
        mark: str | None,
        parked: Mapping[str, Parked],
        replayed: Collection[str] = (),
        changed: Collection[str] = (),
    ) -> None:
        """Save that the build is at `position`, and runs.

        Raises:
            LeaseLost, StorageUnavailable: see `BuildStore.save`.

        """
        status = replace(
            self.status,
            state=ProjectionState.RUNNING,
            position=position,
            head=max(head, position),
            error=None,
            seen_at=datetime.now(UTC),
        )
        self._rate.add(position - self.position)
        await self._store.save(
            self._lease,
            status,
            after=self.position,
            rate=self._rate.per_second(),
            mark=mark,
            parked=list(parked.values()) if parked is not self.parked else None,
            replayed=replayed,
            changed=changed,
        )
        for key in parked.keys() - self.parked.keys():
            self._logger.error(
                "The document %s is parked: %s. Correct the fold, then replay it.",
                key,
                parked[key].error,
            )
        self.position, self.mark, self.parked, self.status = position, mark, parked, status
        self._saved_at = asyncio.get_running_loop().time()
