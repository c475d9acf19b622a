"""One projection following the log."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from app.framework.eventsourcing import EventLog, EventSourcingError, RecordedEvent
from app.framework.observability.outages import note_outage
from app.framework.projections.builds import Build, BuildStore, Lease, LeaseLost
from app.framework.projections.pacing import (
    EVENTS_OF_A_FULL_REST,
    ProjectorOptions,
    Rate,
    Rest,
)
from app.framework.projections.ports import ProjectionState, ProjectionStatus, ProjectionStore
from app.framework.projections.projection import CannotApply, fold_keyed
from app.framework.storage import StorageError, StorageUnavailable


class FollowedStore(ProjectionStore, BuildStore, Protocol):
    """Documents and checkpoints in one place."""


class WrongLog(Exception):
    """The read model was not built from the log that is connected."""

    def __init__(self, projection_id: str, position: int, head: int) -> None:
        super().__init__(
            f"The checkpoint of {projection_id} is at position {position}, but the log ends at "
            f"{head}: the read model was built from another log. Drop it, or connect its log."
        )


class Follower:
    """Follows the log for one build under a lease; `status` has its position.

    For each batch it reads the log after the checkpoint, loads the documents that the events
    change, folds, writes the documents, and saves the checkpoint. `caught_up` is set when it has
    come to the end of the log.
    """

    def __init__(
        self,
        log: EventLog,
        store: FollowedStore,
        build: Build,
        lease: Lease,
        options: ProjectorOptions,
        rest: Rest | None = None,
        *,
        yields: bool = False,
    ) -> None:
        """With `yields` it works for a share of the time only, until it has caught up."""
        self._log = log
        self._store = store
        self._build = build
        self._lease = lease
        self._options = options
        self._rest = rest or Rest()
        self._yields = yields
        self._logger = logging.getLogger(f"{__name__}.{build.id}")
        self._position = lease.position
        self._is_prepared = False
        self._batch = options.batch
        self._saved_at = 0.0
        self._rate = Rate()
        self._stopping = asyncio.Event()
        self.caught_up = asyncio.Event()
        self.status = ProjectionStatus(
            name=build.name,
            version=build.version,
            position=None,
            head=None,
            state=ProjectionState.RUNNING,
        )

    async def run(self) -> None:
        """Apply events until `stop`, until one cannot be applied, or until the lease is lost.

        Raises nothing; `status` says how it ended.
        """
        outages = refusals = 0
        while not self._stopping.is_set():
            try:
                await self._step()
            except LeaseLost as error:
                self._logger.warning("%s", error)
                return
            except (CannotApply, EventSourcingError, WrongLog) as error:
                refusals += 1
                if refusals == self._options.tries:
                    await self._stop(error)
                    return
                # One event at a time, so that all before the failing one are applied.
                self._batch = 1
                await self._back_off(refusals, error)
            except Exception as error:  # noqa: BLE001 - a storage may recover from any error
                outages += 1
                # A slow storage may manage a smaller batch.
                self._batch = max(1, self._batch // 2)
                await self._back_off(outages, error)
            else:
                outages = refusals = 0

    def stop(self) -> None:
        """Have `run` return after the batch under way."""
        self._stopping.set()

    async def _step(self) -> None:
        began = asyncio.get_running_loop().time()
        if not self._is_prepared:
            await self._prepare()
        events = await self._log.read(after=self._position, limit=self._batch)
        if not events:
            await self._idle(self._position)
            return
        more = len(events) == self._batch
        await self._apply(events, more=more)
        if not more:
            self.caught_up.set()
            # A batch costs nearly the same whether it holds one event or fifty.
            share = min(1.0, len(events) / EVENTS_OF_A_FULL_REST)
            await self._rest.take(self._options.rest_seconds * share)
        elif self._yields and not self.caught_up.is_set():
            worked = asyncio.get_running_loop().time() - began
            await self._pause(worked * (1 / self._options.share - 1))

    async def _prepare(self) -> None:
        await self._store.prepare(self._build.id, self._build.projection.indexes)
        head = await self._log.head()
        if self._position > head:
            raise WrongLog(self._build.id, self._position, head)
        self._is_prepared = True

    async def _apply(self, events: Sequence[RecordedEvent], *, more: bool) -> None:
        projection, build = self._build.projection, self._build.id
        keyed = projection.keyed(events)
        keys = projection.keys_to_load(keyed)
        stored = await self._store.load(build, keys) if keys else {}
        changed = fold_keyed(projection, stored, keyed)
        # A stored document may be from an attempt whose write was never acknowledged. Writing it
        # again changes nothing, and returns only when a majority has it.
        documents = {**stored, **changed}
        if documents:
            created = changed.keys() - stored.keys()
            await self._store.write(build, documents, created=created)
        # The checkpoint comes last: a crash before it repeats the batch, none is skipped.
        position = events[-1].position
        await self._save_status(position, await self._log.head() if more else position)
        self._position = position
        self._rate.add(len(events))
        # In small steps, or a slow storage would fail with every other batch.
        self._batch = min(self._batch + self._batch // 8 + 1, self._options.batch)

    async def _idle(self, position: int) -> None:
        self.caught_up.set()
        now = asyncio.get_running_loop().time()
        recovered = self.status.state is not ProjectionState.RUNNING
        if recovered or now - self._saved_at >= self._options.heartbeat_seconds:
            await self._save_status(position, position)
        await self._log.wait(after=position, seconds=self._options.poll_seconds)

    async def _save_status(self, position: int, head: int) -> None:
        status = replace(
            self.status,
            state=ProjectionState.RUNNING,
            position=position,
            head=max(head, position),
            error=None,
            seen_at=datetime.now(UTC),
        )
        await self._store.save(
            self._lease, status, after=self._position, rate=self._rate.per_second()
        )
        self.status = status
        self._saved_at = asyncio.get_running_loop().time()

    async def _back_off(self, failures: int, error: Exception) -> None:
        if isinstance(error, StorageUnavailable):
            note_outage(error.storage, error)
        elif failures == 1:
            self._logger.warning("Retrying from position %s: %r", self._position, error)
        self._set_error(ProjectionState.RETRYING, error)
        pause = self._options.first_backoff_seconds * 2 ** min(failures - 1, 16)
        await self._pause(min(pause, self._options.last_backoff_seconds))

    async def _stop(self, error: Exception) -> None:
        self._logger.error("Stopped at position %s", self._position, exc_info=error)
        self._set_error(ProjectionState.STOPPED, error)
        while not self._stopping.is_set():
            try:
                await self._store.save(self._lease, self.status)
            except LeaseLost:
                return
            except StorageUnavailable as away:
                note_outage(away.storage, away)
                await self._pause(self._options.last_backoff_seconds)
            except Exception as failure:  # noqa: BLE001 - the other projections must go on
                self._logger.warning("Cannot save that the projection stopped: %r", failure)
                await self._pause(self._options.last_backoff_seconds)
            else:
                return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _set_error(self, state: ProjectionState, error: Exception) -> None:
        self.status = replace(
            self.status, state=state, error=_describe(error), seen_at=datetime.now(UTC)
        )


def _describe(error: Exception) -> str:
    """What clients may read: messages of drivers name hosts and users, and are for the log only."""
    if isinstance(error, StorageError):
        words = error.summary
    elif isinstance(error, CannotApply | EventSourcingError | WrongLog):
        words = str(error)
    else:
        words = "see the log of the projector"
    return f"{type(error).__name__}: {words}"
