"""The mediator itself: a dictionary from message types to compiled chains of calls."""

import functools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from app.mediator.errors import DuplicateHandler, HandlerMissing, HandlersMissing
from app.mediator.messages import Message, Registration

ResultT = TypeVar("ResultT")

Proceed = Callable[[Message[ResultT]], Awaitable[ResultT]]
"""The rest of the chain: the next behaviour, or at its end the handler."""


class Behaviour(Protocol):
    """Something done around handlers: logging, a deadline, a metric."""

    async def __call__(self, message: Message[ResultT], proceed: Proceed[ResultT]) -> ResultT:
        """Handle `message` by awaiting `proceed(message)`, once, never, or again."""
        ...


class _Chains(dict[type[Message[Any]], Callable[[Any], Awaitable[Any]]]):
    # On the hot path a miss costs nothing until it happens: no `in`, no try block.
    def __missing__(self, message_type: type[Message[Any]]) -> Callable[[Any], Awaitable[Any]]:
        raise HandlerMissing(message_type)


class Mediator:
    """Maps each message type to one handler, wrapped in behaviours.

    The chain of a message type is built when it is registered, so that a send is one
    dictionary look-up and one call.
    """

    def __init__(self) -> None:
        self._chains = _Chains()
        self._registrations: dict[type[Message[Any]], Registration] = {}
        self._duplicates: list[DuplicateHandler] = []

    def register(self, registration: Registration, *, behaviours: Sequence[Behaviour] = ()) -> None:
        """Take `registration` on, its handler inside `behaviours`, the first outermost.

        Raises:
            DuplicateHandler: the message type has a handler already.

        """
        message_type = registration.message_type
        first = self._registrations.get(message_type)
        if first is not None:
            duplicate = DuplicateHandler(message_type, first.handler, registration.handler)
            self._duplicates.append(duplicate)
            raise duplicate
        chain = registration.handler
        for behaviour in reversed(behaviours):
            chain = functools.partial(behaviour, proceed=chain)
        self._registrations[message_type] = registration
        self._chains[message_type] = chain

    @property
    def duplicates(self) -> Sequence[DuplicateHandler]:
        """Every duplicate that `register` has refused."""
        return tuple(self._duplicates)

    def verify(self, message_types: Iterable[type[Message[Any]]]) -> None:
        """Make sure that each of `message_types` has a handler.

        Raises:
            HandlersMissing: some have none; the error names every one of them.

        """
        missing = [each for each in message_types if each not in self._registrations]
        if missing:
            raise HandlersMissing(missing)

    def send(self, message: Message[ResultT]) -> Awaitable[ResultT]:
        """Answer `message` with its handler's result; what the handler raises comes through.

        Raises:
            HandlerMissing: no handler is registered for the message's exact type.

        """
        return self._chains[type(message)](message)
