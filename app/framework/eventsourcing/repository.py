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
    EventStore,
    Receipt,
)
from app.framework.eventsourcing.turns import Turns
from app.framework.request import NO_CONTEXT, IdempotencyKey, RequestContext


class Repository(Generic[AggregateT]):
    """The aggregates of one type, as folds of their streams.

    Keeps the folds it used last in memory, and presumes that there is nothing of those it
    has not used. Other processes may have appended since, which is safe: an append names the
    version it was decided on, and a refusal or a no-op decided on a presumption is decided
    once more on what is stored.
    """

    def __init__(
        self,
        store: EventStore,
        aggregate_type: AggregateType[AggregateT],
        *,
        remembered: int = 50_000,
        attempts: int = 10,
        waiting: int = 500,
    ) -> None:
        """Make a repository of what is in `store`.

        Args:
            store: where the streams are.
            aggregate_type: what they are folded into.
            remembered: how many folds are kept in memory.
            attempts: how often a command is tried when other processes append first.
            waiting: how many commands may be under way on one aggregate.

        """
        self._store = store
        self._stream_type = aggregate_type.stream_type
        self._aggregate = aggregate_type.aggregate
        self._snapshots = aggregate_type.snapshots
        self._remembered = remembered
        self._attempts = attempts
        self._folds: OrderedDict[str, Stored[AggregateT]] = OrderedDict()
        self._turns = Turns(waiting)

    async def transact(
        self,
        aggregate_id: str,
        decide: Decide[AggregateT],
        context: RequestContext = NO_CONTEXT,
        *,
        expected_version: int | None = None,
    ) -> Stored[AggregateT]:
        """Append what `decide` says and return the aggregate after it.

        Commands on one aggregate take turns within the process; if another process appends
        first, the command is decided again on the newer state, up to `attempts` times. With
        `expected_version` it is decided on that version or not at all, but for one that does
        not exist: what `decide` raises then says more. Under an idempotency key that was used
        before it is not decided: what is returned is the aggregate as it was after the command
        that was carried out then.

        Raises:
            IdempotencyKeyReused: that command asked for something else.
            VersionMismatch: the aggregate is not at `expected_version`.
            VersionConflict: other processes appended first at every attempt.
            UnreadableEvent: an event of the aggregate is stored that cannot be read.
            ClaimTaken: another stream holds a claim that the new state needs.
            Overloaded: too many commands are under way on the aggregate, or as
                `EventStore.append` and `load` say.
            StorageUnavailable: as they say.
            Whatever `decide` raises.

        """
        stream_id = f"{self._stream_type}-{aggregate_id}"
        async with self._turns.turn(stream_id):
            try:
                return await self._append_on_presumed(
                    stream_id, decide, context, expected_version
                ) or await self._append_on_current(stream_id, decide, context, expected_version)
            except DuplicateCommand as duplicate:
                return await self._replay(duplicate.receipt, context.idempotency_key)

    async def _append_on_presumed(
        self,
        stream_id: str,
        decide: Decide[AggregateT],
        context: RequestContext,
        expected_version: int | None,
    ) -> Stored[AggregateT] | None:
        """Append to what is remembered, or to what is presumed not to exist, without a load.

        None if that does not lead to an append: then it has to be known what is stored.
        """
        presumed = self._folds.get(stream_id)
        if expected_version not in (None, presumed.version if presumed else 0):
            return None
        try:
            events = decide(presumed.state if presumed else None)
            if not events:
                return None
            append, new = self._prepare(stream_id, presumed, events, context)
        except Exception:  # noqa: BLE001 - it is decided again on the current state
            return None
        with contextlib.suppress(VersionConflict):
            return await self._append(append, presumed, new)
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
            # After the load, or it might be refused for what its own first try has just done.
            if key and (receipt := await self._store.receipt(key.value)):
                raise DuplicateCommand(receipt)
            version = current.version if current else 0
            if expected_version not in (None, version):
                if current is None:
                    decide(None)
                raise VersionMismatch(stream_id, expected_version, version)
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
        stored = self._folds.get(receipt.stream_id)
        if stored is None or stored.version != receipt.version:
            known = stored if stored and stored.version < receipt.version else None
            stored = await self._load(receipt.stream_id, known, up_to_version=receipt.version)
        assert stored is not None  # a receipt is recorded together with its events
        return replace(stored, replayed=True)

    async def _catch_up(self, stream_id: str) -> Stored[AggregateT] | None:
        stored = await self._load(stream_id, self._folds.get(stream_id))
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
        """`stored` with what is past it, up to a version; some events at a time."""
        version = stored.version if stored else 0
        span = {"after_version": version, "up_to_version": up_to_version}
        if self._snapshots is None:
            events = await self._store.load(stream_id, **span)
        else:
            kept, events = await self._store.load_from_snapshot(
                stream_id, edition=self._snapshots.edition, **span
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
                snapshot_version=stored.snapshot_version if stored else 0,
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
            metadata=Metadata(context.request_id, uuid7(), context.actor),
            claims=[each for each in needed if each not in held],
            releases=[each for each in held if each not in needed],
            idempotency_key=context.idempotency_key,
            snapshot=self._snapshots.due(before, new, len(events)) if self._snapshots else None,
        )
        return append, new

    async def _append(
        self, append: Append, before: Stored[AggregateT] | None, new: AggregateT
    ) -> Stored[AggregateT]:
        appended = await self._store.append(append)
        if before and not append.events:
            return before
        after = Stored(
            state=new,
            version=appended.version,
            position=appended.position,
            created_at=before.created_at if before else appended.recorded_at,
            updated_at=appended.recorded_at,
            snapshot_version=(
                appended.version if append.snapshot else before.snapshot_version if before else 0
            ),
        )
        self._remember(append.stream_id, after)
        return after

    def _remember(self, stream_id: str, stored: Stored[AggregateT]) -> None:
        self._folds[stream_id] = stored
        self._folds.move_to_end(stream_id)
        if len(self._folds) > self._remembered:
            self._folds.popitem(last=False)
