"""Handlers of commands: they decide on an aggregate and return the outcome."""

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
    """Makes the handlers of commands that change one aggregate of a type.

    The handlers share a cache of aggregates, so a process has one instance for each type.
    """

    def __init__(
        self,
        store: EventStore,
        aggregate_type: AggregateType[AggregateT],
        *,
        aggregate_id: Callable[[Any], str],
        answer: Callable[[Stored[AggregateT]], AnswerT],
    ) -> None:
        """Make handlers on `store`.

        Args:
            store: where the streams are.
            aggregate_type: the type of the aggregates.
            aggregate_id: returns the id of the aggregate of a command.
            answer: makes the answer of a command from the aggregate after it.

        """
        self._repository = Repository(store, aggregate_type)
        self._aggregate_id = aggregate_id
        self._answer = answer
        self._claim_scopes = aggregate_type.claim_scopes

    def decided_by(
        self, decide: Callable[[CommandT, AggregateT | None], Sequence[Event]]
    ) -> Callable[[CommandT, RequestContext], Awaitable[Outcome[AnswerT]]]:
        """The handler of the command that `decide` takes; for `decide` see `Decide`.

        The handler raises what `Repository.transact` raises, except ClaimTaken: instead it raises
        the error that `claim_scopes` makes. A command with an `expected_version` is decided on that
        version only.
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
                raise self._claim_scopes[taken.claim.scope](taken.claim.key) from taken
            return Outcome(self._answer(stored), stored.version, stored.position, stored.replayed)

        return handle
