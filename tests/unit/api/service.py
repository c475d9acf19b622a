"""A service without databases: the real handlers on the adapters in memory."""

import asyncio
from collections.abc import Sequence

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from app.api.service import Check
from app.bootstrap import PROJECTIONS, event_registry, register_commands, register_queries
from app.mediator import Mediator
from app.projecting import ProjectionState, ProjectionStatus, fold


class MemoryService:
    """Implements Service; `project` brings the views up to date when a test says so."""

    def __init__(self) -> None:
        registry = event_registry()
        self.roles = frozenset({"commands", "queries", "projector"})
        self.mediator = Mediator()
        self.log = MemoryEventStore(registry)
        self.views = MemoryReadModel()
        self.found: Sequence[Check] = ()
        self.calls: list[str] = []
        self.draining = asyncio.Event()
        self.stopping = asyncio.Event()
        register_commands(self.mediator, self.log)
        register_queries(self.mediator, self.views, registry, patience=0.1)

    async def open(self) -> None:
        """Note that it was opened."""
        self.calls.append("open")

    async def close(self) -> None:
        """Note that it was closed."""
        self.calls.append("close")

    async def checks(self) -> Sequence[Check]:
        """What the test put in `found`."""
        return self.found

    async def projections(self) -> Sequence[ProjectionStatus]:
        """One that runs and one of which nothing is known."""
        return [
            ProjectionStatus("user_profiles", 2, 4, 6, ProjectionState.RETRYING, "no route"),
            ProjectionStatus("user_history", 1, None, None, ProjectionState.UNKNOWN),
        ]

    async def project(self) -> None:
        """Apply the whole log to the views."""
        log = await self.log.read(after=0, limit=await self.log.head())
        for each in PROJECTIONS:
            await self.views.prepare(each)
            await self.views.write(each, fold(each, {}, log))
