"""Show the life of one aggregate: its events, its state after each, and its documents."""

import dataclasses
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.framework.administration.read_log import LoggedEvent, LoggedStreams
from app.framework.eventsourcing import AggregateType, Data, EventRegistry, RecordedEvent
from app.framework.eventsourcing.store import LAST_VERSION, LOADED_AT_ONCE
from app.framework.mediator import Query
from app.framework.projections import (
    BuildRecord,
    CannotApply,
    Document,
    FollowedStore,
    Projection,
)
from app.framework.request import RequestContext
from app.framework.storage import StorageUnavailable

STEPS = 200
"""How many events of a stream are shown at once."""

KEYS = 5
"""How many documents of a view are shown: a view may have one for each event."""


@dataclass(frozen=True, slots=True)
class Step:
    """An event, and what the aggregate was after it.

    state: None where it is not shown, and where it cannot be folded.
    changed: the names of the fields that the event has changed.
    error: why it cannot be folded.
    """

    event: LoggedEvent
    state: Data | None
    changed: Sequence[str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ViewedDocument:
    """What the build of a view that serves has of an aggregate.

    due: the position of the last event that belongs to the document.
    position: of the last event that was applied to it; None if there is no document.
    parked: the position of the event that could not be applied; None if it is not parked.
    is_deleted: whether it was there, and an event deleted it.
    document: None where it is not shown, and if there is none.
    """

    view: str
    build: int
    key: str
    due: int
    position: int | None
    parked: int | None
    is_deleted: bool
    document: Document | None

    @property
    def is_level(self) -> bool:
        """Whether every event that belongs to it was applied."""
        return self.position is not None and self.position >= self.due


@dataclass(frozen=True, slots=True)
class TracedStream:
    """The life of an aggregate.

    aggregate: the name of its class; None if no context has the type of the stream.
    steps: the last STEPS events up to the version that was asked for.
    version: of the last event of the stream; 0 if there is none.
    documents: in every view, KEYS at most of each, the last ones; None if the views cannot be
        read.
    """

    stream_id: str
    aggregate: str | None
    steps: Sequence[Step]
    version: int
    documents: Sequence[ViewedDocument] | None


@dataclass(frozen=True, slots=True)
class _Traced(Query[TracedStream]):
    """The stream, and the version up to which its events are shown."""

    stream_id: str
    until: int = LAST_VERSION


@dataclass(frozen=True, slots=True)
class TraceStream(_Traced):
    """The life of an aggregate without any value: types, positions, the names of fields."""


@dataclass(frozen=True, slots=True)
class InspectStream(_Traced):
    """The life of an aggregate with what is in its events, states and documents."""


class TraceStreamHandler:
    """Raises UnreadableEvent."""

    def __init__(
        self,
        store: LoggedStreams,
        registry: EventRegistry,
        aggregates: Sequence[AggregateType[Any]],
        builds: FollowedStore | None,
        projections: Sequence[Projection],
    ) -> None:
        """`builds` are the views, None for a process without them; it has the code of the rest."""
        self._store = store
        self._registry = registry
        self._aggregates = {each.stream_type: each.aggregate for each in aggregates}
        self._builds = builds
        self._projections = {each.name: each for each in projections}

    async def __call__(self, query: TraceStream | InspectStream, _: RequestContext) -> TracedStream:
        shows_values = isinstance(query, InspectStream)
        aggregate = self._aggregates.get(query.stream_id.partition("-")[0])
        fold = _Fold(aggregate)
        steps: deque[Step] = deque(maxlen=STEPS)
        due = _DueDocuments(self._projections.values())
        version = 0
        while True:
            events = await self._store.load(query.stream_id, after_version=version)
            for each in events:
                version = each.version
                due.add(each)
                if version <= query.until:
                    listed = LoggedEvent.of(each, self._registry, with_data=shows_values)
                    steps.append(fold.step(each, listed, shows_values=shows_values))
            if len(events) < LOADED_AT_ONCE:
                break
        documents = await self._documents(due, shows_values=shows_values)
        name = aggregate.__name__ if aggregate else None
        return TracedStream(query.stream_id, name, [*steps], version, documents)

    async def _documents(
        self, due: "_DueDocuments", *, shows_values: bool
    ) -> Sequence[ViewedDocument] | None:
        if self._builds is None:
            return None
        found: list[ViewedDocument] = []
        try:
            for record in await self._builds.projections():
                positions, build = due.of(record.name), record.serving_build
                if positions and build is not None:
                    found += await self._of_build(build, positions, shows_values=shows_values)
        except StorageUnavailable:
            return None
        # A view with a document for each event is the least of what a reader looks for.
        return sorted(found, key=lambda it: len(due.of(it.view)))

    async def _of_build(
        self, build: BuildRecord, positions: Mapping[str, int], *, shows_values: bool
    ) -> Sequence[ViewedDocument]:
        assert self._builds is not None
        stored = await self._builds.load(build.id, list(positions))
        parked = {each.key: each.position for each in build.parked}
        found = []
        for key, due in positions.items():
            it = stored.get(key)
            found.append(
                ViewedDocument(
                    view=build.name,
                    build=build.number,
                    key=key,
                    due=due,
                    position=it.position if it else None,
                    parked=parked.get(key),
                    is_deleted=it is not None and it.document is None,
                    document=it.document if it and shows_values else None,
                )
            )
        return found


class _Fold:
    """The state of an aggregate, event by event."""

    def __init__(self, aggregate: Any) -> None:
        self._aggregate = aggregate
        self._state: Any = None
        self._shown: Data = {}
        self._error: str | None = None

    def step(self, recorded: RecordedEvent, listed: LoggedEvent, *, shows_values: bool) -> Step:
        """What there is after an event."""
        if self._aggregate is None or self._error is not None:
            return Step(listed, None, (), self._error)
        try:
            self._state = self._aggregate.evolve(self._state, recorded.event)
        except Exception as error:  # noqa: BLE001 - of a context; its words may have values
            self._error = f"{type(error).__name__}: the event cannot be applied to the state"
            return Step(listed, None, (), self._error)
        before, self._shown = self._shown, shown(self._state)
        names = dict.fromkeys([*self._shown, *before])
        changed = [it for it in names if self._shown.get(it, _GONE) != before.get(it, _GONE)]
        return Step(listed, self._shown if shows_values else None, changed)


_GONE = object()


def shown(state: Any) -> Data:
    """The state of an aggregate by the names of its fields, of any class."""
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        return dataclasses.asdict(state)
    return {name: it for name, it in vars(state).items() if not name.startswith("_")}


class _DueDocuments:
    """The documents that events belong to, with the position of the last event of each."""

    def __init__(self, projections: Iterable[Projection]) -> None:
        self._projections = list(projections)
        self._due: dict[str, dict[str, int]] = {}

    def add(self, recorded: RecordedEvent) -> None:
        """Note the documents of an event."""
        for each in self._projections:
            if type(recorded.event) not in each.handlers:
                continue
            try:
                key = each.key_of(recorded)
            except CannotApply:
                continue  # it is parked, or its projection stops
            of_view = self._due.setdefault(each.name, {})
            of_view.pop(key, None)  # the last used comes last
            of_view[key] = recorded.position
            if len(of_view) > KEYS:
                del of_view[next(iter(of_view))]

    def of(self, view: str) -> Mapping[str, int]:
        """The last documents of a view, by their keys."""
        return self._due.get(view, {})
