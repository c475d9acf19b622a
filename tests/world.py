"""All contexts in memory: commands, the projections, queries."""

from collections.abc import Sequence
from typing import Any, TypeVar

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.adapters.memory.verifications import MemoryVerifications
from app.adapters.mongo import MongoReadModel
from app.bootstrap import (
    CONTEXTS,
    all_projections,
    event_registry,
    register_administration,
    register_commands,
    register_queries,
)
from app.framework.contexts import Context, ReadSide
from app.framework.eventsourcing import RecordedEvent
from app.framework.mediator import Command, Mediator, Message, Query
from app.framework.principal import ANYONE
from app.framework.projections import Projection, ProjectionState, ProjectionStatus, fold
from app.framework.request import Outcome, RequestContext
from tests.following import prepare, save

ResultT = TypeVar("ResultT")

FROM_ANYONE = RequestContext(principal=ANYONE)
"""The context of messages where the service runs without authentication."""


class World:
    """Handles messages as the service does; the views follow when told to."""

    def __init__(
        self,
        contexts: Sequence[Context] = CONTEXTS,
        *,
        read_model: MemoryReadModel | MongoReadModel | None = None,
        handled: Sequence[type[Message[Any]]] = (Command, Query),
    ) -> None:
        """Handle messages of the kinds `handled`, with the views in `read_model`."""
        registry = event_registry(contexts)
        self.event_store = MemoryEventStore(registry)
        self.read_model = read_model or MemoryReadModel()
        self.mediator = Mediator()
        self._projections = all_projections(contexts)
        read_side = ReadSide(self.read_model, registry, seconds=0.1)
        if Command in handled:
            register_commands(self.mediator, self.event_store, contexts)
        if Query in handled:
            register_queries(self.mediator, read_side, contexts)
        register_administration(
            self.mediator,
            self.event_store,
            self.read_model,
            registry,
            contexts,
            MemoryVerifications(),
        )
        self._seen = 0

    async def send(self, message: Any, context: RequestContext = FROM_ANYONE) -> Any:
        """What a query or command answers."""
        result = await self.mediator.send(message, context)
        return result.value if isinstance(result, Outcome) else result

    async def outcome(
        self, command: Command[ResultT], context: RequestContext = FROM_ANYONE
    ) -> Outcome[ResultT]:
        """What a command answers, and where its aggregate stands."""
        return await self.mediator.send(command, context)

    async def log(self) -> list[RecordedEvent]:
        """Everything that was recorded."""
        return list(await self.event_store.read(after=0, limit=1_000_000))

    async def catch_up(self) -> None:
        """Bring every view up to the head of the log."""
        events = await self.event_store.read(after=self._seen, limit=1_000_000)
        for projection in self._projections:
            await prepare(self.read_model, projection)
            keys = {key for key, _ in projection.keyed(events)}
            stored = await self.read_model.load(projection.id, keys)
            await self.read_model.write(projection.id, fold(projection, stored, events))
            await save(self.read_model, projection, self._status_of(projection, events))
        self._seen += len(events)

    def _status_of(
        self, projection: Projection, events: Sequence[RecordedEvent]
    ) -> ProjectionStatus:
        head = self._seen + len(events)
        return ProjectionStatus(
            projection.name, projection.version, head, head, ProjectionState.RUNNING
        )
