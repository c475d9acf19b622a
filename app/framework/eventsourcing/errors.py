"""What can go wrong between an aggregate and its events.

EventSourcingError
|-- AppendRefused         nothing was recorded
|   |-- VersionConflict   the stream is not at the version the writer expected
|   |-- ClaimTaken        another stream holds a claim the writer wants
|   `-- DuplicateCommand  a command under the same idempotency key was carried out before
|-- IdempotencyKeyReused  one idempotency key for two commands
|-- VersionMismatch       the caller named a version and the aggregate is at another
|-- UnreadableEvent       an event is stored that this version of the app cannot read
|   |-- UnknownEvent      no class stands for it (or it is to be stored, and none is registered)
|   |-- UndecodableEvent  its payload does not fit its class
|   `-- MisplacedEvent    its aggregate cannot go on with it from where the events before lead
`-- DuplicateEventType    two event classes claim one name
"""

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from app.framework.eventsourcing.store import Claim, Receipt


class EventSourcingError(Exception):
    """The write side cannot carry out a call."""


class AppendRefused(EventSourcingError):
    """An append was refused; nothing of it was recorded."""


class VersionConflict(AppendRefused):
    """The stream is not at the expected version of the append."""

    def __init__(self, stream_id: str, expected: int, actual: int) -> None:
        super().__init__(f"Stream {stream_id} is at version {actual}, not {expected}.")
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual


class ClaimTaken(AppendRefused):
    """Another stream holds the claim."""

    def __init__(self, claim: "Claim") -> None:
        super().__init__(f"The {claim.scope} {claim.key!r} is taken.")
        self.claim = claim


class DuplicateCommand(AppendRefused):
    """A command under the same idempotency key was carried out before."""

    def __init__(self, receipt: "Receipt") -> None:
        super().__init__(f"The command {receipt.key.value!r} was carried out before.")
        self.receipt = receipt


class IdempotencyKeyReused(EventSourcingError):
    """A command has the idempotency key of a different command."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key {key!r} was used for another command.")


class VersionMismatch(EventSourcingError):
    """The aggregate is not at the version that the caller expects."""

    def __init__(self, stream_id: str, expected: int | None, actual: int) -> None:
        super().__init__(f"Stream {stream_id} is at version {actual}, not {expected}.")
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual


class UnreadableEvent(EventSourcingError):
    """This version of the app cannot read a stored event; another version may.

    position: of the event in the log; None where it is not known.
    """

    position: int | None = None

    def __str__(self) -> str:
        where = "" if self.position is None else f" It is at position {self.position} of the log."
        return f"{super().__str__()}{where}"

    def at(self, position: int) -> Self:
        """This error, with the position of its event."""
        self.position = position
        return self


class UnknownEvent(UnreadableEvent):
    """No registered event class and upcasters can stand for a stored event."""

    def __init__(self, event_type: str, schema_version: int) -> None:
        super().__init__(
            f"No event class is registered for {event_type!r} schema version {schema_version}; "
            "register the class, or an upcaster from this version."
        )
        self.event_type = event_type
        self.schema_version = schema_version


class UndecodableEvent(UnreadableEvent):
    """The payload of a stored event does not fit the class, or an upcaster refuses it."""

    def __init__(self, event_type: str, schema_version: int, error: Exception) -> None:
        super().__init__(
            f"A stored {event_type!r} of schema version {schema_version} cannot be decoded: "
            f"{_described(error)}."
        )
        self.event_type = event_type
        self.schema_version = schema_version


class MisplacedEvent(UnreadableEvent):
    """An aggregate's `evolve` refuses a stored event in the state that those before led to."""

    def __init__(self, event_type: str, error: Exception) -> None:
        super().__init__(
            f"A stored {event_type!r} does not fit the events before it: {type(error).__name__}."
        )
        self.event_type = event_type


def _described(error: Exception) -> str:
    # Those that are about names; others may quote a payload, which is personal.
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, TypeError | KeyError) else name


class DuplicateEventType(EventSourcingError):
    """Two event classes share an `event_type`."""

    def __init__(self, event_type: str, first: type, second: type) -> None:
        super().__init__(f"{first.__name__} and {second.__name__} are both named {event_type!r}.")
