"""The errors of the mediator.

MediatorError
|-- DuplicateHandler   a second handler for one message type, raised by `register`
|-- HandlersMissing    message types without a handler, raised by `verify`
`-- HandlerMissing     a message without a handler in this process, raised by `send`
"""

from collections.abc import Sequence


class MediatorError(Exception):
    """The mediator cannot pass a message to a handler."""


class DuplicateHandler(MediatorError):
    """A message type has one handler; a second was registered."""

    def __init__(self, message_type: type, first: object, second: object) -> None:
        super().__init__(
            f"{message_type.__name__} already has the handler {first!r}; "
            f"{second!r} cannot be registered as well."
        )


class HandlersMissing(MediatorError):
    """Message types have no handler; `message_types` lists them all."""

    def __init__(self, message_types: Sequence[type]) -> None:
        names = ", ".join(f"{each.__module__}.{each.__qualname__}" for each in message_types)
        super().__init__(f"No handler is registered for: {names}.")
        self.message_types = tuple(message_types)


class HandlerMissing(MediatorError):
    """A message was sent that has no handler in this process."""

    def __init__(self, message_type: type) -> None:
        super().__init__(f"No handler is registered for {message_type.__name__}.")
        self.message_type = message_type
