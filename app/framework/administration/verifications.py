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
from app.framework.eventsourcing import EventLog, EventSourcingError
from app.framework.mediator import Command, Query, Registration
from app.framework.projections import (
    Audit,
    BuildRecord,
    CannotApply,
    CannotVerify,
    Difference,
    FollowedStore,
    Parked,
    Projection,
    build_to_verify,
    fold_of,
)
from app.framework.request import Outcome, RequestContext

KEPT = 20
"""How many verifications a process remembers."""

SHARE = 0.5
"""The share of the time that a verification may work: its process has requests to answer."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerificationDetails:
    """A verification: how far it is, and what it has found.

    is_over: whether it has ended; what it has found is final then.
    sample: about how many percent of the documents it compares.
    repair: whether it replaces documents that differ by what the log leads to.
    done, total: how far it is, in events and documents; `total` is None until it is known.
    position: events up to there are folded.
    differences: the first 100 of those that differed.
    error: why it ended early; None if it did not.
    """

    id: str
    projection: str
    build: int
    version: int
    sample: float
    repair: bool
    began_at: datetime
    is_over: bool
    done: int
    total: int | None
    position: int
    head: int
    documents: int
    differing: int
    repaired: int
    differences: Sequence[Difference]
    parked: Sequence[Parked]
    error: str | None


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
    """A verification that this process has begun."""

    name: str
    id: str


@dataclass(slots=True)
class _Verification:
    """A verification with the task that carries it out."""

    build: BuildRecord
    audit: Audit
    task: asyncio.Task[None] | None = None
    error: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_over(self) -> bool:
        return self.task is not None and self.task.done()

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
    """The verifications of this process, at most one of a projection at a time.

    They end with the process, and are forgotten: each can be repeated.
    """

    def __init__(self, store: FollowedStore, known: Sequence[Projection], log: EventLog) -> None:
        """`known` are the projections that this process has the code of."""
        self._projections = StoredProjections(store, log)
        self._store = store
        self._log = log
        self._known = known
        self._begun: dict[str, _Verification] = {}

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
        for each in self._begun.values():
            if each.build.name == command.name and not each.is_over:
                raise ProjectionBusy(command.name, f"verification {each.id} of it is under way")
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
        begun.task = asyncio.create_task(_run(begun), name=f"verification of {command.name}")
        self._begun[begun.id] = begun
        self._forget()
        return Outcome(begun.details())

    async def get(self, query: GetVerification, _: RequestContext) -> VerificationDetails:
        """Raises VerificationNotFound."""
        found = self._begun.get(query.id)
        if found is None or found.build.name != query.name:
            raise VerificationNotFound(query.name, query.id)
        return found.details()

    async def close(self) -> None:
        """End those that are under way: they can be repeated."""
        tasks = [each.task for each in self._begun.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        over = [key for key, each in self._begun.items() if each.is_over]
        for key in over[: max(0, len(self._begun) - KEPT)]:
            del self._begun[key]


async def _run(verification: _Verification) -> None:
    try:
        await verification.audit.run()
    except (CannotVerify, CannotApply, EventSourcingError) as error:
        verification.error = str(error)
    except Exception as error:
        _logger.exception("A verification of %s failed.", verification.build.id)
        verification.error = f"{type(error).__name__}: see the log of the process"
