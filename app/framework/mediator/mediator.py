"""The mediator itself: a dictionary from message types to compiled chains of calls."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from app.framework.mediator.errors import DuplicateHandler, HandlerMissing, HandlersMissing
from app.framework.mediator.messages import Message, Registration
from app.framework.request import NO_CONTEXT, RequestContext

ResultT = TypeVar("ResultT")

Proceed = Callable[[Message[ResultT], RequestContext], Awaitable[ResultT]]
"""The rest of the chain: the next behaviour, or at its end the handler."""


class Behaviour(Protocol):
    """Runs around handlers: logging, a deadline, a metric."""

    def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> Awaitable[ResultT]:
        """Handle `message` by awaiting `proceed(message, context)`, once, never, or again."""
        ...


class Mediator:
    """Maps each message type to one handler, wrapped in behaviours.

    The chain of a message type is built when it is registered, so that a send is one
    dictionary look-up and one call.
    """

    def __init__(self) -> None:
        self._chains: dict[type[Message[Any]], Callable[[Any, RequestContext], Awaitable[Any]]] = {}
        self._registrations: dict[type[Message[Any]], Registration] = {}
        self._duplicates: list[DuplicateHandler] = []

    def register(self, registration: Registration, *, behaviours: Sequence[Behaviour] = ()) -> None:
        """Register a handler inside `behaviours`, the first outermost.

        Raises:
            DuplicateHandler: the message type has a handler already.

        """
        message_type = registration.message_type
        first = self._registrations.get(message_type)
        if first is not None:
            duplicate = DuplicateHandler(message_type, first.handler, registration.handler)
            self._duplicates.append(duplicate)
            raise duplicate
        chain = _called(registration.handler)
        for behaviour in reversed(behaviours):
            chain = functools.partial(_called(behaviour), proceed=chain)
        self._registrations[message_type] = registration
        self._chains[message_type] = chain

    @property
    def duplicates(self) -> Sequence[DuplicateHandler]:
        """Every duplicate that `register` has refused."""
        return tuple(self._duplicates)

    def verify(self, message_types: Iterable[type[Message[Any]]]) -> None:
        """Check that each of `message_types` has a handler.

        Raises:
            HandlersMissing: some have none; the error names all of them.

        """
        missing = [each for each in message_types if each not in self._registrations]
        if missing:
            raise HandlersMissing(missing)

    def send(
        self, message: Message[ResultT], context: RequestContext = NO_CONTEXT
    ) -> Awaitable[ResultT]:
        """The result of the handler of `message`; errors of the handler pass through.

        Raises:
            HandlerMissing: no handler is registered for the message's exact type.

        """
        try:
            chain = self._chains[type(message)]
        except KeyError:
            raise HandlerMissing(type(message)) from None
        return chain(message, context)


def _called(target: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    # Bind `__call__` once: otherwise Python looks it up at every send.
    method = target.__call__  # type: ignore[operator]
    return method if inspect.ismethod(method) else target
