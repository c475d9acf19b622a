"""An operator of one projection in memory, and the process that works on its builds."""

from typing import Any

from app.adapters.memory.read_model import MemoryReadModel
from app.framework import administration
from app.framework.eventsourcing import EventRegistry
from app.framework.mediator import Mediator
from app.framework.projections import (
    Build,
    BuildState,
    Comparison,
    Lease,
    Projection,
    ProjectionRecord,
    TakeOver,
)
from app.framework.request import NO_CONTEXT, IdempotencyKey, Outcome, RequestContext
from tests.notes import NOTE_EVENTS, NOTES, NoteWritten, append, new_log, status

EQUAL = Comparison(10, 0, [])


class Desk:
    """Sends messages to the handlers, and moves builds on as their holder does."""

    def __init__(self, *known: Projection) -> None:
        """A process that has the code of `known`."""
        self.store = MemoryReadModel()
        self.log = new_log()
        self.mediator = Mediator()
        for each in (
            *administration.of_projections(self.store, known or [NOTES], self.log),
            *administration.of_the_log(self.log, EventRegistry(NOTE_EVENTS)),
        ):
            self.mediator.register(each)

    async def send(self, message: Any, key: str | None = None, sent: str = "") -> Any:
        """What a message is answered; `sent` is what it says, where it has a key."""
        outcome = await self.outcome(message, key, sent)
        return outcome.value if isinstance(outcome, Outcome) else outcome

    async def outcome(self, message: Any, key: str | None = None, sent: str = "") -> Any:
        """The same, with all that belongs to the answer of a command."""
        context = NO_CONTEXT
        if key is not None:
            context = RequestContext(idempotency_key=IdempotencyKey(key, sent))
        return await self.mediator.send(message, context)

    async def write(self, events: int) -> None:
        """Append so many events, each to a note of its own."""
        head = await self.log.head()
        for each in range(head, head + events):
            await append(self.log, f"n{each}", NoteWritten("text"))

    async def record(self) -> ProjectionRecord:
        """What is stored of the notes."""
        [found] = await self.store.projections()
        return found

    async def begin(self, version: int = 1, take_over: TakeOver = TakeOver.WHEN_CAUGHT_UP) -> int:
        """The number of a new build, begun as the projector begins one."""
        known = len((await self.store.projections() or [ProjectionRecord("notes")])[0].builds)
        projection = Projection("notes", version, NOTES.key, NOTES.handlers)
        assert await self.store.begin(projection, take_over=take_over, known=known)
        return known + 1

    async def lease(self, number: int) -> Lease:
        """The lease of a build, which the same process takes each time."""
        found = (await self.record()).numbered(number)
        assert found is not None
        lease = await self.store.acquire(Build(NOTES, found.id), "here")
        assert lease is not None
        return lease

    async def reach(self, number: int, position: int, rate: float | None = None) -> Lease:
        """The lease of a build that a process works on, at `position`."""
        lease = await self.lease(number)
        await self.store.save(lease, status(NOTES, position), rate=rate)
        return lease

    async def be_ready(self, number: int, position: int, comparison: Comparison = EQUAL) -> None:
        """A build is at `position`, and was compared."""
        lease = await self.reach(number, position)
        await self.store.note(lease, state=BuildState.READY, comparison=comparison)
