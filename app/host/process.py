"""A process of the service: start, checks, stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Any

from app.framework.administration import Verifications
from app.framework.eventsourcing import ClockWatch, EventStore, LogSource, keep_purging
from app.framework.http.service import Check
from app.framework.mediator import Mediator
from app.framework.observability.metrics.runtime import keep_measuring
from app.framework.observability.outages import end_outages, note_outage
from app.framework.projections import (
    BuildRecord,
    FollowedStore,
    Projection,
    ProjectionRecord,
    Projector,
    adopt,
    check_origin,
    troubles_of,
    unknown,
)
from app.framework.security import Authenticator
from app.framework.storage import Storage, StorageNotReady, StorageUnavailable
from app.host.measuring import forget_projections, measure_checks, measure_projections

SETTLE_SECONDS = 2.0
"""How long a start waits for its projector, so that a process with little to catch up is ready at
once."""

STOP_SECONDS = 4.5
"""How long a batch under way may take to end: longer than the timeout of a storage."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Process:
    """The parts that a process's roles need; None for those they do not. Implements Service.

    storages: every adapter to check and to close.
    log: for its head.
    read_model: the store of the projections' builds.
    receipts: the event store whose idempotency keys this process purges.
    verifications: those of projections that this process carries out.
    authenticator: verifies the tokens of requests; None without authentication.
    clock: watches the clock of the log's database; None without a log.
    draining: the server sets it when a stop is requested, while it still accepts requests.
    stopping: the server sets it when it accepts no more requests, before `close`.
    """

    roles: frozenset[str]
    mediator: Mediator
    all_projections: Sequence[Projection]
    storages: Sequence[Storage]
    log: LogSource | None
    read_model: FollowedStore | None
    projector: Projector | None
    receipts: EventStore | None
    verifications: Verifications | None = None
    authenticator: Authenticator | None = None
    draining: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    clock: ClockWatch | None = field(init=False)
    _background: list[asyncio.Task[None]] = field(default_factory=list, init=False)
    _projecting: asyncio.Task[None] | None = field(default=None, init=False)
    _checking: asyncio.Task[Sequence[Check]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.clock = None if self.log is None else ClockWatch(self.log)

    async def open(self) -> None:
        """Check the storages, and start the projector and the background tasks.

        Raises:
            StorageUnavailable, StorageNotReady: one of them cannot.

        """
        await self.check()
        self._run_in_background("metrics", keep_measuring())
        if self.authenticator is not None:
            await self.authenticator.open()
        if self.projector is not None:
            assert self.log is not None
            assert self.read_model is not None
            await adopt(self.log, self.read_model)
            self._projecting = asyncio.create_task(self.projector.run(), name="projector")
            await self.projector.settled(SETTLE_SECONDS)
        if self.receipts is not None:
            self._run_in_background("purging", keep_purging(self.receipts))
        if self.clock is not None:
            self._run_in_background("clock watch", self.clock.run())

    async def check(self) -> None:
        """Check that the storages can be used, and that they belong together.

        Raises:
            StorageUnavailable, StorageNotReady: they cannot, or do not.

        """
        for each in self.storages:
            await each.check()
        if self.log is not None and self.read_model is not None:
            await check_origin(self.log, self.read_model)

    def _run_in_background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.create_task(work, name=name))

    async def close(self) -> None:
        """Stop the projector, finish what is under way, close the storages."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self.projector is not None and self._projecting is not None:
            self.projector.stop()
            # Cancel only what takes longer, such as building an index: a cancelled driver may leave
            # a connection open, or lose the cancellation.
            await asyncio.wait([self._projecting], timeout=STOP_SECONDS)
            self._projecting.cancel()
            await asyncio.wait([self._projecting])
        if self.verifications is not None:
            await self.verifications.close()
        if self.authenticator is not None:
            await self.authenticator.close()
        closed = await asyncio.gather(
            *(each.close() for each in self.storages), return_exceptions=True
        )
        for each in closed:
            if isinstance(each, Exception):
                _logger.warning("A storage did not close cleanly.", exc_info=each)
        end_outages()

    async def checks(self) -> Sequence[Check]:
        """Whether the process can do what its roles need, a check for each part.

        Callers at the same time share the checks, as requests for readiness are not bounded.
        """
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_all(), context=Context())
        return await asyncio.shield(self._checking)

    async def _check_all(self) -> Sequence[Check]:
        checks = await asyncio.gather(
            *(
                _check(each.name, each.check(), _NEEDED_BY.get(each.name, self.roles))
                for each in self.storages
            ),
            *([self._check_writes(self.receipts)] if self.receipts is not None else ()),
            *([self._check_views()] if "queries" in self.roles else ()),
            *([self._check_projector()] if "projector" in self.roles else ()),
        )
        return [
            replace(each, roles=each.roles & self.roles)
            for each in (*checks, *self._check_identity())
        ]

    async def _check_writes(self, store: EventStore) -> Check:
        return await _check("writes", store.check_appends(), frozenset({"commands"}))

    async def _check_views(self) -> Check:
        """Whether queries find what they are to find; how far it lags is the projector's part."""

        def missing(found: Sequence[ProjectionRecord]) -> Sequence[str]:
            serving = {each.name: each.serving_build for each in found}
            names = dict.fromkeys(each.name for each in self.all_projections)
            return [it for name in names if (it := _missing(name, serving.get(name))) is not None]

        return await self._check_projections("views", frozenset({"queries"}), missing)

    async def _check_projections(
        self,
        name: str,
        roles: frozenset[str],
        judge: Callable[[Sequence[ProjectionRecord]], Sequence[str]],
        otherwise: str = "",
    ) -> Check:
        try:
            troubles = judge(await self.projections())
        except StorageUnavailable as error:
            return Check(name, ok=False, detail=error.summary, roles=roles)
        except Exception as error:  # readiness says so, too
            _logger.exception("Cannot look at the projections.")
            detail = f"{type(error).__name__}: see the log of the process"
            return Check(name, ok=False, detail=detail, roles=roles)
        return Check(name, ok=not troubles, detail="; ".join(troubles) or otherwise, roles=roles)

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection with its builds, as far as this process can know.

        A process without MongoDB knows only the head of the log, one without PostgreSQL only the
        head that the projector saw last.

        Raises:
            StorageUnavailable: the database that knows does not answer.

        """
        records, head = await asyncio.gather(self._records(), self._head())
        return records if head is None else [each.with_head(head) for each in records]

    async def measure(self) -> None:
        """Set the metrics of the service as a whole; what cannot be found out is left out."""
        await asyncio.gather(self._measure_checks(), self._measure_projections())

    async def _measure_checks(self) -> None:
        measure_checks(await self.checks())

    async def _measure_projections(self) -> None:
        try:
            await measure_projections(await self.projections(), self.log)
        except StorageUnavailable:
            forget_projections()

    async def _records(self) -> Sequence[ProjectionRecord]:
        if self.read_model is None:
            return unknown(self.all_projections)
        try:
            return await self.read_model.projections()
        except StorageUnavailable:
            if self.projector is None or not self.projector.records:
                raise
            return self.projector.records

    async def _head(self) -> int | None:
        if self.log is None:
            return None
        try:
            return await self.log.head()
        except StorageUnavailable:
            return None

    @property
    def is_projecting(self) -> bool:
        """Whether the projector runs; it does from `open` to `close`."""
        return self._projecting is not None and not self._projecting.done()

    async def _check_projector(self) -> Check:
        roles = frozenset({"projector"})
        if self.projector is None:  # it is a process of its own

            def judge(found: Sequence[ProjectionRecord]) -> Sequence[str]:
                return troubles_of(found, self.all_projections)

            return await self._check_projections("projector", roles, judge, "Another process.")
        if not self.is_projecting:
            return Check("projector", ok=False, detail="It is not running.", roles=roles)
        troubles = self.projector.troubles()
        said = "; ".join(troubles) or self.projector.words()
        return Check("projector", ok=not troubles, detail=said, roles=roles)

    def _check_identity(self) -> Sequence[Check]:
        if self.authenticator is None:
            return ()
        trouble = self.authenticator.trouble
        roles = frozenset({"commands", "queries"})
        return [Check("identity", ok=trouble is None, detail=trouble or "", roles=roles)]


_NEEDED_BY = {
    "postgresql": frozenset({"commands", "projector"}),
    "mongodb": frozenset({"queries", "projector"}),
}


def _missing(name: str, serving: BuildRecord | None) -> str | None:
    """What queries of a view would miss."""
    if serving is None:  # nothing was ever projected: an empty read model
        return None
    if serving.condemned:
        return f"{name}: {serving.status.error or serving.condemned}"
    if not serving.has_caught_up:
        head = "?" if serving.status.head is None else serving.status.head
        return f"{name} is being built: {serving.position} of {head} events"
    return None


async def _check(name: str, look: Awaitable[None], roles: frozenset[str]) -> Check:
    try:
        await look
    except (StorageUnavailable, StorageNotReady) as error:
        note_outage(error.storage if isinstance(error, StorageUnavailable) else name, error)
        return Check(name, ok=False, detail=error.summary, roles=roles)
    return Check(name, ok=True, roles=roles)
