"""Verify a projection, and repair it, in the background of this process."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from app.framework.administration.errors import (
    CannotBeVerified,
    ProjectionBusy,
    VerificationNotFound,
)
from app.framework.administration.stored_projections import StoredProjections
from app.framework.administration.verification_records import (
    SAVE_SECONDS,
    VerificationDetails,
    VerificationRecords,
)
from app.framework.eventsourcing import EventLog, EventSourcingError
from app.framework.mediator import Command, Query, Registration
from app.framework.projections import (
    Audit,
    BuildRecord,
    CannotApply,
    CannotVerify,
    FollowedStore,
    Projection,
    build_to_verify,
    fold_of,
)
from app.framework.request import Outcome, RequestContext
from app.framework.storage import StorageUnavailable

SHARE = 0.5
"""The share of the time that a verification may work: its process has requests to answer."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BeginVerification(Command[VerificationDetails]):
    """Compare the build of a projection that serves with a fold of the log, in this process.

    sample: compare about so many percent of the documents.
    repair: replace documents that differ by what the log leads to.
    """

    name: str
    sample: float = 100.0
    repair: bool = False


@dataclass(frozen=True, slots=True)
class GetVerification(Query[VerificationDetails]):
    """A verification, which any process may have begun."""

    name: str
    id: str


@dataclass(slots=True)
class _Verification:
    """A verification with the task that carries it out."""

    build: BuildRecord
    audit: Audit
    is_over: bool = False
    error: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    began_at: datetime = field(default_factory=lambda: _to_the_millisecond(datetime.now(UTC)))

    def details(self) -> VerificationDetails:
        audit = self.audit
        return VerificationDetails(
            id=self.id,
            projection=self.build.name,
            build=self.build.number,
            version=self.build.version,
            sample=audit.sample,
            repair=audit.repairs,
            began_at=self.began_at,
            is_over=self.is_over,
            done=audit.done,
            total=audit.total,
            position=audit.position,
            head=audit.head,
            documents=audit.documents,
            differing=audit.differing,
            repaired=audit.repaired,
            differences=[*audit.differences],
            parked=[*audit.parked],
            error=self.error,
        )


class Verifications:
    """The verifications that this process carries out, and the records of all.

    At most one of a projection is under way, unless two processes begin one at once. Each ends with
    its process; it can be repeated.
    """

    def __init__(
        self,
        store: FollowedStore,
        known: Sequence[Projection],
        log: EventLog,
        records: VerificationRecords,
    ) -> None:
        """`known` are the projections that this process has the code of."""
        self._projections = StoredProjections(store, log)
        self._store = store
        self._log = log
        self._known = known
        self._records = records
        self._begun: dict[str, _Verification] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def registrations(self) -> Sequence[Registration]:
        """The messages, with their handlers."""
        return (BeginVerification.handled_by(self.begin), GetVerification.handled_by(self.get))

    async def begin(
        self, command: BeginVerification, _: RequestContext
    ) -> Outcome[VerificationDetails]:
        """Raises ProjectionNotFound, ProjectionBusy and CannotBeVerified."""
        projection = await self._projections.named(command.name)
        try:
            build = build_to_verify(projection)
            fold = fold_of(build, self._known)
        except CannotVerify as error:
            raise CannotBeVerified(command.name, str(error)) from error
        under_way = await self._under_way(command.name)
        if under_way is not None:
            raise ProjectionBusy(command.name, f"verification {under_way} of it is under way")
        audit = Audit(
            self._log,
            self._store,
            fold,
            build.id,
            sample=command.sample,
            repairs=command.repair,
            share=SHARE,
        )
        begun = _Verification(build, audit)
        self._begun[begun.id] = begun
        try:
            # Before it is answered: the next request may come to another process.
            await self._records.save(begun.details())
        except BaseException:
            del self._begun[begun.id]
            raise
        task = asyncio.create_task(self._carry_out(begun), name=f"verification of {command.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Outcome(begun.details())

    async def get(self, query: GetVerification, _: RequestContext) -> VerificationDetails:
        """Raises VerificationNotFound."""
        own = self._begun.get(query.id)
        if own is not None and own.build.name == query.name:
            return own.details()
        found = await self._records.find(query.name, query.id)
        if found is None:
            raise VerificationNotFound(query.name, query.id)
        return found

    async def close(self) -> None:
        """End those that are under way: they can be repeated."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._begun.values():
            if not each.is_over:
                each.is_over, each.error = True, "Its process was stopped; begin another one."
            await self._save(each)
        await self._records.close()

    async def _under_way(self, name: str) -> str | None:
        stored = await self._records.under_way(name)
        # Nothing is awaited from here until it is among those that are begun.
        own = [each for each in self._begun.values() if each.build.name == name]
        for each in own:
            if not each.is_over:
                return each.id
        return None if any(each.id == stored for each in own) else stored

    async def _carry_out(self, begun: _Verification) -> None:
        """Run a verification, and save how far it is until its end is saved."""
        running = asyncio.create_task(_run(begun))
        try:
            while True:
                await asyncio.wait([running], timeout=SAVE_SECONDS)
                if await self._save(begun):
                    break
                if begun.is_over:  # the storage cannot be reached
                    await asyncio.sleep(SAVE_SECONDS)
        finally:
            running.cancel()
            await asyncio.wait([running])
        del self._begun[begun.id]

    async def _save(self, begun: _Verification) -> bool:
        """Whether the end of a verification is saved."""
        details = begun.details()
        try:
            await self._records.save(details)
        except StorageUnavailable:
            return False
        return details.is_over


async def _run(verification: _Verification) -> None:
    try:
        await verification.audit.run()
    except (CannotVerify, CannotApply, EventSourcingError) as error:
        verification.error = str(error)
    except Exception as error:
        _logger.exception("A verification of %s failed.", verification.build.id)
        verification.error = f"{type(error).__name__}: see the log of the process"
    verification.is_over = True


def _to_the_millisecond(time: datetime) -> datetime:
    """As it is stored: all processes show the same time."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
