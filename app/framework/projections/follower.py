"""One projection following the log."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.framework.eventsourcing import EventLog, EventSourcingError, RecordedEvent
from app.framework.observability.outages import note_outage
from app.framework.projections.ports import ProjectionState, ProjectionStatus, ProjectionStore
from app.framework.projections.projection import CannotApply, Projection, fold_keyed
from app.framework.storage import StorageError, StorageUnavailable


class WrongLog(Exception):
    """The read model was not built from the log that is connected."""

    def __init__(self, projection_id: str, position: int, head: int) -> None:
        super().__init__(
            f"The checkpoint of {projection_id} is at position {position}, but the log ends at "
            f"{head}: the read model was built from another log. Drop it, or connect its log."
        )


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
    """

    batch: int = 2000
    rest_seconds: float = 0.1
    poll_seconds: float = 0.05
    heartbeat_seconds: float = 5.0
    first_backoff_seconds: float = 0.1
    last_backoff_seconds: float = 2.0
    tries: int = 6


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


class Follower:
    """Follows the log for one projection; `status` has its position.

    For each batch it reads the log after the checkpoint, loads the documents that the events
    change, folds, writes the documents, and saves the checkpoint.
    """

    def __init__(
        self,
        log: EventLog,
        store: ProjectionStore,
        projection: Projection,
        options: ProjectorOptions,
        rest: Rest | None = None,
    ) -> None:
        self._log = log
        self._store = store
        self._projection = projection
        self._options = options
        self._rest = rest or Rest()
        self._logger = logging.getLogger(f"{__name__}.{projection.id}")
        self._position: int | None = None
        self._batch = options.batch
        self._serves = False
        self._saved_at = 0.0
        self._stopping = asyncio.Event()
        self.status = ProjectionStatus(
            name=projection.name,
            version=projection.version,
            position=None,
            head=None,
            state=ProjectionState.RUNNING,
        )

    async def run(self) -> None:
        """Apply events until `stop`, or until one cannot be applied. Raises nothing."""
        outages = refusals = 0
        while not self._stopping.is_set():
            try:
                await self._step()
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
        if self._position is None:
            self._position = await self._prepare()
        events = await self._log.read(after=self._position, limit=self._batch)
        if events:
            await self._apply(events)
        else:
            await self._idle(self._position)

    async def _prepare(self) -> int:
        position = await self._store.prepare(self._projection)
        head = await self._log.head()
        if position > head:
            raise WrongLog(self._projection.id, position, head)
        return position

    async def _apply(self, events: Sequence[RecordedEvent]) -> None:
        keyed = self._projection.keyed(events)
        keys = self._projection.keys_to_load(keyed)
        stored = await self._store.load(self._projection, keys) if keys else {}
        changed = fold_keyed(self._projection, stored, keyed)
        # A stored document may be from an attempt whose write was never acknowledged. Writing it
        # again changes nothing, and returns only when a majority has it.
        documents = {**stored, **changed}
        if documents:
            created = changed.keys() - stored.keys()
            await self._store.write(self._projection, documents, created=created)
        # The checkpoint comes last: a crash before it repeats the batch, none is skipped.
        position = events[-1].position
        more = len(events) == self._batch
        await self._save_status(position, await self._log.head() if more else position)
        self._position = position
        # In small steps, or a slow storage would fail with every other batch.
        self._batch = min(self._batch + self._batch // 8 + 1, self._options.batch)
        if not more:
            await self._serve()
            # A batch costs nearly the same whether it holds one event or fifty.
            share = min(1.0, len(events) / EVENTS_OF_A_FULL_REST)
            await self._rest.take(self._options.rest_seconds * share)

    async def _idle(self, position: int) -> None:
        await self._serve()
        now = asyncio.get_running_loop().time()
        recovered = self.status.state is not ProjectionState.RUNNING
        if recovered or now - self._saved_at >= self._options.heartbeat_seconds:
            await self._save_status(position, position)
        await self._log.wait(after=position, seconds=self._options.poll_seconds)

    async def _serve(self) -> None:
        # Caught up once is enough: under load the log is never read to its end.
        if not self._serves:
            await self._store.serve(self._projection)
            self._serves = True

    async def _save_status(self, position: int, head: int) -> None:
        status = replace(
            self.status,
            state=ProjectionState.RUNNING,
            position=position,
            head=max(head, position),
            error=None,
            seen_at=datetime.now(UTC),
        )
        await self._store.save(self._projection, status)
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
                await self._store.save(self._projection, self.status)
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
