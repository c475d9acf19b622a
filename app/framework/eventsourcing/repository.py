"""Load, decide, append: how a command changes an aggregate."""

import contextlib
import functools
import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic

from app.framework.eventsourcing.aggregate_type import AggregateType
from app.framework.eventsourcing.aggregates import AggregateT, Decide, Stored
from app.framework.eventsourcing.errors import (
    DuplicateCommand,
    IdempotencyKeyReused,
    MisplacedEvent,
    VersionConflict,
    VersionMismatch,
)
from app.framework.eventsourcing.events import Event, Metadata, RecordedEvent
from app.framework.eventsourcing.ids import uuid7
from app.framework.eventsourcing.store import (
    LAST_VERSION,
    LOADED_AT_ONCE,
    Append,
    Claim,
    EventStore,
    Receipt,
)
from app.framework.eventsourcing.turns import Turns
from app.framework.observability import tracing
from app.framework.request import NO_CONTEXT, IdempotencyKey, RequestContext


class Repository(Generic[AggregateT]):
    """The aggregates of one type, as folds of their streams.

    Caches the folds used last, and decides on the cached one without a load: optimistic
    concurrency. An aggregate that is not cached is assumed not to exist. Both may be wrong, as
    other processes append too, which is safe: an append names its expected version, and a refusal
    or a no-op is decided again on the stored events.
    """

    def __init__(
        self,
        store: EventStore,
        aggregate_type: AggregateType[AggregateT],
        *,
        cache_size: int = 50_000,
        attempts: int = 10,
        max_queued: int = 500,
    ) -> None:
        """Make a repository of what is in `store`.

        Args:
            store: where the streams are.
            aggregate_type: what they are folded into.
            cache_size: how many folds are cached.
            attempts: how often a command is decided when other processes append first.
            max_queued: how many commands on one aggregate may be under way or wait.

        """
        self._store = store
        self._stream_type = aggregate_type.stream_type
        self._aggregate = aggregate_type.aggregate
        self._claim_scopes = aggregate_type.claim_scopes
        self._snapshots = aggregate_type.snapshots
        self._cache_size = cache_size
        self._attempts = attempts
        self._cache: OrderedDict[str, Stored[AggregateT]] = OrderedDict()
        self._turns = Turns(max_queued)

    async def transact(
        self,
        aggregate_id: str,
        decide: Decide[AggregateT],
        context: RequestContext = NO_CONTEXT,
        *,
        expected_version: int | None = None,
    ) -> Stored[AggregateT]:
        """Append the events of `decide` and return the aggregate after them.

        Commands on one aggregate take turns within the process. If another process appends first,
        the command is decided again on the newer state, up to `attempts` times. With
        `expected_version` it is decided on that version only; if there is no aggregate, `decide`
        gets None, as its error says more. A command whose idempotency key was used before is not
        decided: the result is the aggregate as the first command left it.

        Raises:
            IdempotencyKeyReused: the key was used for another command.
            VersionMismatch: the aggregate is not at `expected_version`.
            VersionConflict: other processes appended first at every attempt.
            UnreadableEvent: a stored event of the aggregate cannot be read.
            ClaimTaken: another stream holds a claim that the new state needs.
            Overloaded: too many commands wait for the aggregate, or for the store.
            StorageUnavailable: see `EventStore.append` and `load`.
            And what `decide` raises.

        """
        stream_id = f"{self._stream_type}-{aggregate_id}"
        async with self._turns.turn(stream_id):
            try:
                return await self._append_optimistically(
                    stream_id, decide, context, expected_version
                ) or await self._append_on_current(stream_id, decide, context, expected_version)
            except DuplicateCommand as duplicate:
                return await self._replay(duplicate.receipt, context.idempotency_key)

    async def _append_optimistically(
        self,
        stream_id: str,
        decide: Decide[AggregateT],
        context: RequestContext,
        expected_version: int | None,
    ) -> Stored[AggregateT] | None:
        """Decide on the cached aggregate, or on none, and append, without a load.

        None if that does not lead to an append: then the stored events have to be loaded.
        """
        cached = self._cache.get(stream_id)
        if expected_version not in (None, cached.version if cached else 0):
            return None
        try:
            with tracing.span("decide"):
                events = decide(cached.state if cached else None)
            if not events:
                return None
            append, new = self._prepare(stream_id, cached, events, context)
        except Exception:  # noqa: BLE001 - the current state decides
            return None
        with contextlib.suppress(VersionConflict):
            return await self._append(append, cached, new)
        return None

    async def _append_on_current(
        self,
        stream_id: str,
        decide: Decide[AggregateT],
        context: RequestContext,
        expected_version: int | None,
    ) -> Stored[AggregateT]:
        key = context.idempotency_key
        for attempt in itertools.count(1):
            current = await self._catch_up(stream_id)
            # After the load, or a repeat might be refused because of what its first try did.
            if key and (receipt := await self._store.receipt(key.value)):
                raise DuplicateCommand(receipt)
            version = current.version if current else 0
            if expected_version not in (None, version):
                if current is None:
                    decide(None)
                raise VersionMismatch(stream_id, expected_version, version)
            with tracing.span("decide"):
                events = decide(current.state if current else None)
            if not events:
                if current is None:
                    raise LookupError(f"Nothing was decided for {stream_id}, which does not exist.")
                if not key:
                    return current
            append, new = self._prepare(stream_id, current, events, context)
            try:
                return await self._append(append, current, new)
            except VersionConflict:
                if attempt == self._attempts:
                    raise
        raise AssertionError("unreachable")

    async def _replay(self, receipt: Receipt, key: IdempotencyKey | None) -> Stored[AggregateT]:
        if receipt.key != key:
            raise IdempotencyKeyReused(receipt.key.value)
        stored = self._cache.get(receipt.stream_id)
        if stored is None or stored.version != receipt.version:
            known = stored if stored and stored.version < receipt.version else None
            stored = await self._load(receipt.stream_id, known, up_to_version=receipt.version)
        assert stored is not None  # a receipt is recorded together with its events
        return replace(stored, replayed=True)

    async def _catch_up(self, stream_id: str) -> Stored[AggregateT] | None:
        stored = await self._load(stream_id, self._cache.get(stream_id))
        if stored is not None:
            self._remember(stream_id, stored)
        return stored

    async def _load(
        self,
        stream_id: str,
        stored: Stored[AggregateT] | None,
        *,
        up_to_version: int = LAST_VERSION,
    ) -> Stored[AggregateT] | None:
        """`stored` with the events after it, up to a version; some events at a time."""
        version = stored.version if stored else 0
        span = {"after_version": version, "up_to_version": up_to_version}
        if self._snapshots is None:
            events = await self._store.load(stream_id, **span)
        else:
            kept, events = await self._store.load_from_snapshot(
                stream_id, snapshot_version=self._snapshots.version, **span
            )
            stored = self._snapshots.restored(kept) if kept else stored
        stored = self._fold(stored, events)
        while len(events) == LOADED_AT_ONCE:
            events = await self._store.load(
                stream_id, after_version=events[-1].version, up_to_version=up_to_version
            )
            stored = self._fold(stored, events)
        return stored

    def _fold(
        self, stored: Stored[AggregateT] | None, events: Sequence[RecordedEvent]
    ) -> Stored[AggregateT] | None:
        for each in events:
            try:
                state = self._aggregate.evolve(stored.state if stored else None, each.event)
            except Exception as error:
                raise MisplacedEvent(each.event.event_type, error).at(each.position) from error
            stored = Stored(
                state=state,
                version=each.version,
                position=each.position,
                created_at=stored.created_at if stored else each.recorded_at,
                updated_at=each.recorded_at,
                last_snapshot_at=stored.last_snapshot_at if stored else 0,
            )
        return stored

    def _prepare(
        self,
        stream_id: str,
        before: Stored[AggregateT] | None,
        events: Sequence[Event],
        context: RequestContext,
    ) -> tuple[Append, AggregateT]:
        """What to append, and the state after it."""
        old = before.state if before else None
        new = functools.reduce(self._aggregate.evolve, events, old)
        assert new is not None  # there is at least one event, now or from before
        held, needed = (old.claims() if old else ()), new.claims()
        append = Append(
            stream_id=stream_id,
            expected_version=before.version if before else 0,
            events=events,
            metadata=Metadata(
                context.request_id,
                context.internal_id or uuid7(),
                context.principal.actor,
                context.traceparent,
            ),
            claims=[self._declared(each) for each in needed if each not in held],
            releases=[each for each in held if each not in needed],
            idempotency_key=context.idempotency_key,
            snapshot=self._snapshots.due(before, new, len(events)) if self._snapshots else None,
        )
        return append, new

    def _declared(self, claim: Claim) -> Claim:
        # Scopes are shared by all contexts: start-up compares those that are declared.
        if claim.scope not in self._claim_scopes:
            raise LookupError(
                f"The aggregate type {self._stream_type} has a claim of the scope {claim.scope}, "
                "which is not among its claim_scopes."
            )
        return claim

    async def _append(
        self, append: Append, before: Stored[AggregateT] | None, new: AggregateT
    ) -> Stored[AggregateT]:
        with tracing.span("append"):
            appended = await self._store.append(append)
        if before and not append.events:
            return before
        after = Stored(
            state=new,
            version=appended.version,
            position=appended.position,
            created_at=before.created_at if before else appended.recorded_at,
            updated_at=appended.recorded_at,
            last_snapshot_at=(
                appended.version if append.snapshot else before.last_snapshot_at if before else 0
            ),
        )
        self._remember(append.stream_id, after)
        return after

    def _remember(self, stream_id: str, stored: Stored[AggregateT]) -> None:
        self._cache[stream_id] = stored
        self._cache.move_to_end(stream_id)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
