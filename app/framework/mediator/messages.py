"""The messages a mediator carries: commands change state, queries read it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from app.framework.request import Outcome, RequestContext

ResultT_co = TypeVar("ResultT_co", covariant=True)


class Message(Generic[ResultT_co]):
    """A request whose handler answers with a `ResultT_co`.

    Concrete messages are frozen dataclasses that derive from `Command` or `Query`.
    """

    __slots__ = ()

    @classmethod
    def handled_by(
        cls, handler: Callable[[Self, RequestContext], Awaitable[ResultT_co]]
    ) -> "Registration":
        """A registration of this message type with its handler, for `Mediator.register`.

        A type checker refuses a handler that takes another message or answers with
        another result.
        """
        return Registration(cls, handler)


class Command(Message[Outcome[ResultT_co]], Generic[ResultT_co]):
    """A request to change state; its handler answers with an `Outcome[ResultT_co]`.

    A command with a field `expected_version` is decided on that version of its aggregate only,
    unless it is None.
    """

    __slots__ = ()


class Query(Message[ResultT_co]):
    """A request to read state; handling it changes nothing."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """A message type and the handler that answers it."""

    message_type: type[Message[Any]]
    handler: Callable[[Any, RequestContext], Awaitable[Any]]
