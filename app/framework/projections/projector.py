"""The projector: shares the builds of projections with other processes, and follows the log."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from app.framework.eventsourcing import EventLog
from app.framework.observability.outages import note_outage
from app.framework.projections.beginning import begin_missing
from app.framework.projections.build_store import FollowedStore
from app.framework.projections.builds import (
    Build,
    BuildRecord,
    Lease,
    ProjectionRecord,
)
from app.framework.projections.comparison import compare_noting
from app.framework.projections.follower import Follower
from app.framework.projections.leases import keep_renewing, new_holder
from app.framework.projections.measures import measure_leases
from app.framework.projections.pacing import ProjectorOptions, Rest
from app.framework.projections.ports import ProjectionStatus
from app.framework.projections.projection import Projection
from app.framework.projections.readiness import trouble
from app.framework.projections.shared_log import SharedLog
from app.framework.projections.takeover import Step, may_be_dropped, may_be_taken, next_step
from app.framework.storage import StorageUnavailable

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A build that this process works on."""

    build: Build
    lease: Lease
    follower: Follower
    following: asyncio.Task[None]
    comparing: asyncio.Task[None] | None = None


class Projector:
    """Fills builds of projections, each with its own position, checkpoint and lease.

    Of several projectors, one works on each build: nothing moves while its holder lives. Should two
    write the same documents nevertheless, as one was frozen when its lease was taken over, or
    crash between any two steps of a batch, the documents are the same: each stores its position
    and never goes back.

    An event that cannot be applied is never skipped: it stops its projection, and no other.
    """

    def __init__(
        self,
        log: EventLog,
        store: FollowedStore,
        projections: Sequence[Projection],
        *,
        options: ProjectorOptions | None = None,
        holder: str | None = None,
    ) -> None:
        """Nothing is read or written before `run`.

        Args:
            log: the log to follow.
            store: where the builds are.
            projections: every version of every projection that this process has the fold of.
            options: how it reads, waits and retries.
            holder: identifies this process among the projectors.

        """
        self._log, self._rest = SharedLog(log), Rest()
        self._store = store
        self._options = options or ProjectorOptions()
        self.holder = holder or new_holder()
        self._folds: dict[str, dict[int, Projection]] = defaultdict(dict)
        for each in projections:
            self._folds[each.name][each.version] = each
        self._held: dict[str, _Held] = {}
        self._gave_up: dict[str, float] = {}
        self._ended: set[str] = set()
        self._left = {
            (each.name, each.version): replace(
                ProjectionStatus.at_the_beginning(each), position=None
            )
            for each in projections
        }
        self._stopping = asyncio.Event()
        self._first_turn = asyncio.Event()
        self._seen: Sequence[ProjectionRecord] = ()
        self._has_looked = False

    @property
    def statuses(self) -> Sequence[ProjectionStatus]:
        """What this process last knew of each projection, by its own work on a build of it."""
        held = {
            (each.build.name, each.build.version): each.follower.status
            for each in self._held.values()
        }
        return [held.get(key, left) for key, left in self._left.items()]

    @property
    def records(self) -> Sequence[ProjectionRecord]:
        """What was last seen in the store, with what this process knows by its own work."""
        return [
            replace(each, builds=[self._with_own_status(build) for build in each.builds])
            for each in self._seen
        ]

    def _with_own_status(self, build: BuildRecord) -> BuildRecord:
        held = self._held.get(build.id)
        if held is None:
            return build
        own, stored = held.follower.status, build.status
        if own.position is None:
            own = replace(own, position=stored.position, head=stored.head)
        return replace(build, status=own)

    def words(self) -> str:
        """What this process works on."""
        return f"It works on {', '.join(self._held)}." if self._held else "It stands by."

    def troubles(self) -> Sequence[str]:
        """What keeps serving builds from being up to date, also by the work of other processes."""
        if not self._has_looked:
            return ["It has not seen the projections yet."]
        return [
            each
            for record in self.records
            if (each := trouble(record, self._held, self._folds[record.name])) is not None
        ]

    async def run(self) -> None:
        """Work until `stop`, which lets the batches under way end; cancelling this does not."""
        renewing = asyncio.create_task(
            keep_renewing(
                self._store,
                lambda: [each.lease for each in self._held.values()],
                self._end_lost,
                self._stopping,
            ),
            name="leases",
        )
        try:
            while not self._stopping.is_set():
                try:
                    await self._turn()
                    self._first_turn.set()
                except StorageUnavailable as error:
                    note_outage(error.storage, error)
                except Exception:
                    _logger.exception("A turn of the projector failed.")
                await self._pause(self._options.look_seconds)
            await asyncio.gather(*(self._leave(each) for each in list(self._held.values())))
        finally:
            # A driver may lose the cancellation.
            self.stop()
            held = self._held.values()
            tasks = [renewing, *(each.following for each in held)]
            tasks += (each.comparing for each in held if each.comparing is not None)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def settled(self, seconds: float) -> None:
        """Return once the builds that were taken first have caught up, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._first_turn.wait()
                for each in list(self._held.values()):
                    await each.follower.caught_up.wait()

    def stop(self) -> None:
        """Have `run` return after the batches under way."""
        self._stopping.set()
        for each in self._held.values():
            each.follower.stop()

    async def _turn(self) -> None:
        """Look at what is stored, and do what is to be done next."""
        self._seen = await self._store.projections()
        if await begin_missing(self._store, self._folds, self._seen):
            self._seen = await self._store.projections()
        self._has_looked = True
        measure_leases(len(self._held))
        for held in list(self._held.values()):
            if held.following.done():
                await self._leave(held)
        for projection in self._seen:
            for build in projection.builds:
                if self._stopping.is_set():
                    return
                try:
                    await self._attend(projection, build)
                except StorageUnavailable:
                    raise
                except Exception:  # the other builds must go on
                    _logger.exception("Cannot do what is next for %s.", build.id)

    async def _attend(self, projection: ProjectionRecord, record: BuildRecord) -> None:
        fold = self._folds.get(record.name, {}).get(record.version)
        held = self._held.get(record.id)
        if held is not None:
            if projection.paused or record.is_over:
                await self._leave(held)
                return
            if record.replay:
                held.follower.replay(record.replay)
            if held.follower.caught_up.is_set():
                await self._advance(projection, record, held)
        elif fold is not None and may_be_taken(projection, record, self.holder):
            await self._take(projection, record, fold)
        # It may have been dropped while this process was frozen, which then wrote to it.
        if may_be_dropped(projection, record) or (record.is_dropped and record.id in self._ended):
            self._ended.discard(record.id)
            await self._store.drop(record.name, record.id)

    async def _take(
        self, projection: ProjectionRecord, record: BuildRecord, fold: Projection
    ) -> None:
        now = asyncio.get_running_loop().time()
        if self._gave_up.get(record.id, 0.0) > now:
            return
        # The more this process has, the longer it leaves the next to others.
        await self._pause(len(self._held) * self._options.share_out_seconds)
        build = Build(fold, record.id)
        lease = await self._store.acquire(build, self.holder)
        if lease is None:
            return
        # A rebuild after a restore must read nothing of the log that was lost.
        self._log.forget()
        is_beside = projection.serving != record.id and not record.has_caught_up
        follower = Follower(
            self._log,
            self._store,
            build,
            lease,
            self._options,
            self._rest,
            yields=is_beside,
            last=record.status,
        )
        following = asyncio.create_task(follower.run(), name=f"projection {record.id}")
        self._held[record.id] = _Held(build, lease, follower, following)
        if lease.epoch > 1:
            _logger.info("Took over %s at position %s.", record.id, lease.position)

    async def _leave(self, held: _Held) -> None:
        """Stop working on a build, and give up its lease."""
        if held.comparing is not None:
            held.comparing.cancel()
        held.follower.stop()
        await asyncio.wait([held.following])
        self._held.pop(held.build.id, None)
        self._ended.add(held.build.id)
        status = held.follower.status
        self._left[held.build.name, held.build.version] = status
        if (pause := self._options.pause_after(status.state)) is not None:
            self._gave_up[held.build.id] = asyncio.get_running_loop().time() + pause
        with contextlib.suppress(StorageUnavailable):
            await self._store.release(held.lease)

    async def _advance(
        self, projection: ProjectionRecord, record: BuildRecord, held: _Held
    ) -> None:
        """Do what comes next for a build that has caught up."""
        step = next_step(projection, record, self._folds[record.name])
        if step in (Step.SERVE, Step.SERVE_FOR_NOW):
            await self._serve(projection, record, yields=step is Step.SERVE_FOR_NOW)
        elif step is Step.COMPARE and (held.comparing is None or held.comparing.done()):
            assert projection.serving is not None
            held.comparing = asyncio.create_task(
                compare_noting(self._store, projection.serving, held.lease),
                name=f"comparison of {record.id}",
            )

    async def _serve(
        self, projection: ProjectionRecord, record: BuildRecord, *, yields: bool
    ) -> None:
        if await self._store.switch(
            projection.name,
            serving=projection.serving,
            to=record.id,
            switches=projection.switches,
            yields=yields,
        ):
            _logger.info("%s serves; before it, %s did.", record.id, projection.serving)

    def _end_lost(self, leases: Collection[Lease]) -> None:
        for held in self._held.values():
            if held.lease in leases:
                held.follower.stop()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
