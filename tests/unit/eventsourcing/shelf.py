"""A small aggregate: a shelf that things are put on and taken from, and a store to meddle with."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from app.adapters.memory.event_store import MemoryEventStore
from app.framework.eventsourcing import (
    AggregateType,
    Append,
    Appended,
    Claim,
    Decide,
    Event,
    EventRegistry,
    EventStore,
    Purged,
    Receipt,
    RecordedEvent,
    RecordedSnapshot,
    Repository,
    Snapshots,
)
from app.framework.eventsourcing.store import LAST_VERSION


@dataclass(frozen=True, slots=True)
class Put(Event):
    """A thing was put on the shelf."""

    event_type: ClassVar[str] = "Put"

    thing: str


@dataclass(frozen=True, slots=True)
class Taken(Event):
    """A thing was taken from the shelf."""

    event_type: ClassVar[str] = "Taken"

    thing: str


@dataclass(frozen=True, slots=True)
class Labelled(Event):
    """The shelf goes by another label, or by none."""

    event_type: ClassVar[str] = "Labelled"

    label: str | None


class LabelTaken(Exception):
    """Another shelf has the label."""


class NotThere(Exception):
    """What is not on the shelf cannot be taken."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on the shelf; no two shelves have one label. It comes to be with its first event."""

    things: tuple[str, ...] = ()
    label: str | None = None
    events: int = 0

    @classmethod
    def evolve(cls, state: "Shelf | None", event: Event) -> "Shelf":
        """The shelf after `event`."""
        shelf = state or cls()
        shelf = replace(shelf, events=shelf.events + 1)
        match event:
            case Put(thing):
                return replace(shelf, things=(*shelf.things, thing))
            case Taken(thing):
                return replace(shelf, things=tuple(each for each in shelf.things if each != thing))
            case Labelled(label):
                return replace(shelf, label=label)
        raise TypeError(event)

    def claims(self) -> Collection[Claim]:
        """The label."""
        return (Claim("label", self.label),) if self.label else ()


def put(thing: str) -> Decide[Shelf]:
    """Put a thing on the shelf, unless it is there."""
    return lambda shelf: [] if shelf and thing in shelf.things else [Put(thing)]


def take(thing: str) -> Decide[Shelf]:
    """Take a thing from the shelf, or raise NotThere."""

    def decide(shelf: Shelf | None) -> Sequence[Event]:
        if shelf is None or thing not in shelf.things:
            raise NotThere(thing)
        return [Taken(thing)]

    return decide


def label(text: str | None) -> Decide[Shelf]:
    """Label the shelf anew."""
    return lambda _: [Labelled(text)]


@dataclass
class Watched:
    """A decision that keeps the shelves it was made on."""

    decide: Decide[Shelf]
    seen: list[Shelf | None] = field(default_factory=list)

    def __call__(self, shelf: Shelf | None) -> Sequence[Event]:
        """Decide, and remember on what."""
        self.seen.append(shelf)
        return self.decide(shelf)

    @property
    def seen_things(self) -> list[tuple[str, ...]]:
        """What was on those shelves."""
        return [shelf.things if shelf else () for shelf in self.seen]


async def nothing(_: object) -> None:
    """What comes between if nobody says otherwise."""


class Gate:
    """Holds up those who come, until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, _) -> None:
        """Wait for the gate to be opened."""
        self.reached.set()
        await self.opened.wait()


@dataclass
class MeddledStore:
    """An event store that keeps what it is asked and how many events it loaded.

    It lets a test come between.
    """

    store: EventStore
    before_append: Callable[[Append], Awaitable[None]] = nothing
    after_append: Callable[[Append], Awaitable[None]] = nothing
    before_load: Callable[[str], Awaitable[None]] = nothing
    appends: list[Append] = field(default_factory=list)
    loads: list[tuple[str, int]] = field(default_factory=list)
    loaded: int = 0

    async def append(self, append: Append) -> Appended:
        """As `EventStore.append` says."""
        self.appends.append(append)
        await self.before_append(append)
        appended = await self.store.append(append)
        await self.after_append(append)
        return appended

    async def check_appends(self) -> None:
        """As `EventStore.check_appends` says."""
        await self.store.check_appends()

    async def receipt(self, key: str) -> Receipt | None:
        """As `EventStore.receipt` says."""
        return await self.store.receipt(key)

    async def purge_receipts(self, *, marks: int, interval: timedelta) -> Purged:
        """As `EventStore.purge_receipts` says."""
        return await self.store.purge_receipts(marks=marks, interval=interval)

    async def load(
        self, stream_id: str, *, after_version: int = 0, up_to_version: int = LAST_VERSION
    ) -> Sequence[RecordedEvent]:
        """As `EventStore.load` says."""
        self.loads.append((stream_id, after_version))
        await self.before_load(stream_id)
        events = await self.store.load(
            stream_id, after_version=after_version, up_to_version=up_to_version
        )
        self.loaded += len(events)
        return events

    async def load_from_snapshot(
        self,
        stream_id: str,
        *,
        snapshot_version: int,
        after_version: int = 0,
        up_to_version: int = LAST_VERSION,
    ) -> tuple[RecordedSnapshot | None, Sequence[RecordedEvent]]:
        """As `EventStore.load_from_snapshot` says."""
        self.loads.append((stream_id, after_version))
        await self.before_load(stream_id)
        return await self.store.load_from_snapshot(
            stream_id,
            snapshot_version=snapshot_version,
            after_version=after_version,
            up_to_version=up_to_version,
        )


def new_store() -> MemoryEventStore:
    """An empty store for shelves."""
    return MemoryEventStore(EventRegistry([Put, Taken, Labelled]))


def process(
    store: EventStore, *, snapshots: Snapshots[Shelf] | None = None, **options: Any
) -> Repository[Shelf]:
    """The shelves as one process sees them; another on the same store is another process."""
    shelves = AggregateType("shelf", Shelf, snapshots, claim_scopes={"label": LabelTaken})
    return Repository(store, shelves, **options)


async def events_of(store: EventStore, shelf_id: str) -> list[Event]:
    """What happened to a shelf."""
    events: list[Event] = []
    while loaded := await store.load(f"shelf-{shelf_id}", after_version=len(events)):
        events += [each.event for each in loaded]
    return events


def folded(events: Sequence[Event]) -> Shelf | None:
    """The shelf that `events` lead to."""
    return functools.reduce(Shelf.evolve, events, None)
