"""All of users in memory: commands, the projections, queries."""

from typing import TypeVar

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.bootstrap import PROJECTIONS, event_registry, register_commands, register_queries
from app.eventsourcing import RecordedEvent
from app.mediator import Mediator, Message
from app.projecting import fold

ResultT = TypeVar("ResultT")


class World:
    """Handles messages as the service does; the views follow when told to."""

    def __init__(self) -> None:
        registry = event_registry()
        self.event_store = MemoryEventStore(registry)
        self.read_model = MemoryReadModel()
        self.mediator = Mediator()
        register_commands(self.mediator, self.event_store)
        register_queries(self.mediator, self.read_model, registry, patience=0.1)
        self._seen = 0

    async def send(self, message: Message[ResultT]) -> ResultT:
        """The answer of the message's handler."""
        return await self.mediator.send(message)

    async def log(self) -> list[RecordedEvent]:
        """Everything that was recorded."""
        return list(await self.event_store.read(after=0, limit=1_000_000))

    async def catch_up(self) -> None:
        """Bring every view up to the head of the log."""
        events = await self.event_store.read(after=self._seen, limit=1_000_000)
        for projection in PROJECTIONS:
            await self.read_model.prepare(projection)
            keys = {projection.key(each) for each in events}
            stored = await self.read_model.load(projection, keys)
            await self.read_model.write(projection, fold(projection, stored, events))
        self._seen += len(events)
