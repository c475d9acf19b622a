"""One projection following the log."""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.framework.eventsourcing import EventLog, RecordedEvent, UnknownEvent
from app.framework.observability import tracing
from app.framework.observability.outages import note_outage
from app.framework.projections.build_store import FollowedStore
from app.framework.projections.builds import Build, Lease, LeaseLost
from app.framework.projections.checkpoint import Checkpoint
from app.framework.projections.losses import CONDEMNING, check_documents, mark_of
from app.framework.projections.measures import Measures
from app.framework.projections.pacing import EVENTS_OF_A_FULL_REST, ProjectorOptions, Rest
from app.framework.projections.parking import Parked, parked_after
from app.framework.projections.ports import CannotStore, ProjectionState, ProjectionStatus
from app.framework.projections.projection import Keyed, Refused, Versioned, fold_around, fold_keyed
from app.framework.projections.reading import read_onward
from app.framework.projections.refusals import REFUSALS, described
from app.framework.projections.replay import Replay, begin_replay
from app.framework.projections.traces import traces_of
from app.framework.storage import StorageUnavailable


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
        last: ProjectionStatus | None = None,
    ) -> None:
        """Begin at the checkpoint that `lease` names.

        Args:
            log: the log to follow.
            store: where the documents and the checkpoint are.
            build: the build to fill.
            lease: of this build.
            options: how it reads, waits and retries.
            rest: shared with other followers that are to rest at the same time.
            yields: whether it works for a share of the time only, until it has caught up.
            last: the stored status, which is repeated until something better is known.

        """
        self._log = log
        self._store = store
        self._build = build
        self._lease = lease
        self._options = options
        self._rest = rest or Rest()
        self._yields = yields
        self._logger = logging.getLogger(f"{__name__}.{build.id}")
        self._documents = lease.documents
        self._checked_at = 0.0
        self._is_prepared = self._is_indexed = False
        self._batch = options.batch
        self._replay: Replay | None = None
        self._asked: Collection[str] = ()
        self._said = last.error if last is not None else None
        self._measures = Measures(build.name)
        self._stopping = asyncio.Event()
        self.caught_up = asyncio.Event()
        status = last or replace(ProjectionStatus.at_the_beginning(build.projection), position=None)
        self._checkpoint = Checkpoint(store, lease, status, self._logger)

    @property
    def status(self) -> ProjectionStatus:
        return self._checkpoint.status

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
            except REFUSALS as error:
                refusals += 1
                self._measures.failed("refusal")
                # What is lost does not come back, and until that is noted, tokens are believed.
                if refusals == self._options.tries or isinstance(error, CONDEMNING):
                    await self._stop(error)
                    return
                # One event at a time, so that all before the failing one are applied.
                self._batch = 1
                await self._back_off(refusals, error)
            except Exception as error:  # noqa: BLE001 - a storage may recover from any error
                outages += 1
                self._measures.failed("outage")
                # A slow storage may manage a smaller batch.
                self._batch = max(1, self._batch // 2)
                await self._back_off(outages, error)
            else:
                outages = refusals = 0

    def stop(self) -> None:
        """Have `run` return after the batch under way."""
        self._stopping.set()

    def replay(self, keys: Collection[str]) -> None:
        """Replay the parked documents under `keys`, or EVERYTHING, beside the next batches."""
        if self._replay is None:
            self._asked = keys

    async def _step(self) -> None:
        self._measures.begin()
        began = asyncio.get_running_loop().time()
        if not self._is_prepared:
            await self._prepare()
        elif began - self._checked_at > self._options.check_seconds:
            await self._check_documents()
        if self._replay is not None or self._asked:
            await self._replay_some()
        events = await read_onward(self._log, self._build.id, self._checkpoint, self._batch)
        if not events:
            if self._replay is None:
                await self._idle()
            return
        more = len(events) == self._batch
        with tracing.continued(f"project {self._build.projection.name}", traces_of(events)):
            await self._apply(events, more=more)
        self._measures.applied(events, rebuilds=self._yields and not self.caught_up.is_set())
        if not more:
            await self._note_end()
            # A batch costs nearly the same whether it holds one event or fifty.
            share = min(1.0, len(events) / EVENTS_OF_A_FULL_REST)
            await self._rest.take(self._options.rest_seconds * share)
        elif self._yields and not self.caught_up.is_set():
            worked = asyncio.get_running_loop().time() - began
            await self._pause(worked * (1 / self._options.share - 1))

    async def _prepare(self) -> None:
        await self._check_documents()
        # A build beside the serving one, which no query reads, is filled much faster without them.
        indexes = () if self._yields else self._build.projection.indexes
        await self._store.prepare(self._build.id, indexes)
        self._is_indexed = not self._yields
        if self._documents is None:
            documents = await self._store.identity(self._build.id)
            await self._store.note(self._lease, documents=documents)
            self._documents = documents
        self._is_prepared = True

    async def _check_documents(self) -> None:
        await check_documents(self._store, self._build.id, self._documents)
        self._checked_at = asyncio.get_running_loop().time()

    async def _apply(self, events: Sequence[RecordedEvent], *, more: bool) -> None:
        projection, build = self._build.projection, self._build.id
        keyed = projection.keyed(events)
        keys = projection.keys_to_load(
            each for each in keyed if each[0] not in self._checkpoint.parked
        )
        stored = await self._store.load(build, keys) if keys else {}
        changed, parked = self._fold(stored, keyed)
        # A stored document may be from an attempt whose write was never acknowledged. Writing it
        # again changes nothing, and returns only when a majority has it.
        documents = {**stored, **changed}
        position = events[-1].position
        # Before the documents: what queries keep of them ends with the save, which follows at once.
        head = await self._log.head() if more else position
        if documents:
            created = changed.keys() - stored.keys()
            try:
                await self._store.write(build, documents, created=created)
            except CannotStore as error:
                if len(events) > 1 or not projection.parks:
                    raise
                refused = {error.key: [Refused(events[0], error)]}
                parked = parked_after(self._checkpoint.parked, refused, build)
        # The checkpoint comes last: a crash before it repeats the batch, none is skipped.
        await self._checkpoint.save(
            position=position,
            head=head,
            mark=mark_of(events[-1]),
            parked=parked,
            changed=documents,
        )
        # In small steps, or a slow storage would fail with every other batch.
        self._batch = min(self._batch + self._batch // 8 + 1, self._options.batch)

    def _fold(
        self, stored: Mapping[str, Versioned], keyed: Sequence[Keyed]
    ) -> tuple[dict[str, Versioned], Mapping[str, Parked]]:
        """The documents that `keyed` change, and those that are parked afterwards."""
        projection, parked = self._build.projection, self._checkpoint.parked
        if not projection.parks:
            return fold_keyed(projection, stored, keyed), parked
        changed, waiting = fold_around(projection, stored, keyed, parked)
        return changed, parked_after(parked, waiting, self._build.id) if waiting else parked

    async def _replay_some(self) -> None:
        """Replay a batch of events; store the documents once there are no more."""
        at = self._checkpoint
        if self._replay is None:
            self._replay = await begin_replay(self._store, self._build, self._asked, at)
            self._asked = ()
        replay = self._replay
        if replay.at < at.position:
            await replay.read(self._log, up_to=at.position, limit=self._options.batch)
        if replay.at >= at.position:
            await replay.write(self._store, at.parked)
            parked = replay.parked_afterwards(at.parked)
            await at.save_here(parked, replayed=replay.asked, changed=replay.documents)
            self._replay = None

    async def _note_end(self) -> None:
        """Note that it has come to the end of the log, and once it has its indexes, caught up."""
        if not self._is_indexed:
            await self._store.prepare(self._build.id, self._build.projection.indexes)
            self._is_indexed = True
        elif not self.caught_up.is_set():
            await self._store.note(self._lease, has_caught_up=True)
            self.caught_up.set()

    async def _idle(self) -> None:
        await self._note_end()
        at = self._checkpoint
        recovered = self.status.state is not ProjectionState.RUNNING
        if recovered or at.age_seconds >= self._options.heartbeat_seconds:
            await at.save_here(at.parked)
        await self._log.wait(after=at.position, seconds=self._options.poll_seconds)

    async def _back_off(self, failures: int, error: Exception) -> None:
        if isinstance(error, StorageUnavailable):
            note_outage(error.storage, error)
        elif failures == 1:
            self._logger.warning("Retrying from position %s: %r", self._checkpoint.position, error)
        self._set_error(ProjectionState.RETRYING, error)
        if failures % self._options.tries == 0:
            # It lasts: other processes are to show it, too.
            with contextlib.suppress(Exception):
                await self._store.save(self._lease, self.status)
        pause = self._options.first_backoff_seconds * 2 ** min(failures - 1, 16)
        await self._pause(min(pause, self._options.last_backoff_seconds))

    async def _stop(self, error: Exception) -> None:
        # An event that this process does not know is one of a newer version of the service.
        is_newer = isinstance(error, UnknownEvent)
        state = ProjectionState.WAITING if is_newer else ProjectionState.STOPPED
        if described(error) != self._said:
            self._logger.error(
                "%s at position %s", state.capitalize(), self._checkpoint.position, exc_info=error
            )
        self._set_error(state, error)
        while not self._stopping.is_set():
            try:
                await self._store.save(self._lease, self.status)
                # Last: no process looks at a condemned build again, and finds what is wrong.
                if isinstance(error, CONDEMNING):
                    await self._store.note(self._lease, condemned=error.verdict)
            except LeaseLost:
                return
            except Exception as failure:  # noqa: BLE001 - the other projections must go on
                if isinstance(failure, StorageUnavailable):
                    note_outage(failure.storage, failure)
                else:
                    self._logger.warning("Cannot save that the projection stopped: %r", failure)
                await self._pause(self._options.last_backoff_seconds)
            else:
                return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _set_error(self, state: ProjectionState, error: Exception) -> None:
        self._checkpoint.status = replace(
            self.status, state=state, error=described(error), seen_at=datetime.now(UTC)
        )
