"""From a command to the decision on its aggregate, and back with the outcome."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from app.framework.eventsourcing.aggregate_type import AggregateType
from app.framework.eventsourcing.aggregates import AggregateT, Stored
from app.framework.eventsourcing.errors import ClaimTaken
from app.framework.eventsourcing.events import Event
from app.framework.eventsourcing.repository import Repository
from app.framework.eventsourcing.store import EventStore
from app.framework.request import Outcome, RequestContext

AnswerT = TypeVar("AnswerT")
CommandT = TypeVar("CommandT")


class CommandHandlers(Generic[AggregateT, AnswerT]):
    """Makes the handlers of commands that each change one aggregate of a type.

    They share what is kept in memory, so a process has one of these for a type.
    """

    def __init__(
        self,
        store: EventStore,
        aggregate_type: AggregateType[AggregateT],
        *,
        aggregate_id: Callable[[Any], str],
        answer: Callable[[Stored[AggregateT]], AnswerT],
    ) -> None:
        """Handle commands on what is in `store`.

        Args:
            store: where the streams are.
            aggregate_type: what they are folded into.
            aggregate_id: the id of the aggregate that a command is for.
            answer: what a command answers with, from its aggregate after it.

        """
        self._repository = Repository(store, aggregate_type)
        self._aggregate_id = aggregate_id
        self._answer = answer
        self._claim_taken = aggregate_type.claim_taken

    def decided_by(
        self, decide: Callable[[CommandT, AggregateT | None], Sequence[Event]]
    ) -> Callable[[CommandT, RequestContext], Awaitable[Outcome[AnswerT]]]:
        """The handler of the command that `decide` takes; for `decide` see `Decide`.

        It raises what `Repository.transact` raises, with `claim_taken` in place of ClaimTaken. A
        command with an `expected_version` is decided on that version only.
        """

        async def handle(command: CommandT, context: RequestContext) -> Outcome[AnswerT]:
            try:
                stored = await self._repository.transact(
                    self._aggregate_id(command),
                    functools.partial(decide, command),
                    context,
                    expected_version=getattr(command, "expected_version", None),
                )
            except ClaimTaken as taken:
                if self._claim_taken is None:
                    raise
                raise self._claim_taken(taken.claim) from taken
            return Outcome(self._answer(stored), stored.version, stored.position, stored.replayed)

        return handle
