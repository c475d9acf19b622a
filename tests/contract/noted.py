"""Events and a store to keep them in, for the contract of event stores."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from app.framework.eventsourcing import Append, Event, EventLog, EventRegistry, EventStore


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A note was taken."""

    event_type: ClassVar[str] = "Noted"

    text: str | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Stranger(Event):
    """An event that the registry under test does not know."""

    event_type: ClassVar[str] = "Stranger"


@dataclass(frozen=True, slots=True)
class Moody(Event):
    """An event that can be recorded, and not be made from what was."""

    event_type: ClassVar[str] = "Moody"

    text: str
    seen: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if Moody.seen:
            raise ValueError("in no mood")
        Moody.seen = True


class Store(EventStore, EventLog, Protocol):
    """Both ports at once."""


REGISTRY = EventRegistry([Noted, Moody])


def note(stream_id: str, expected_version: int, *texts: str, **rest) -> Append:
    """An append of one Noted for each of `texts`."""
    return Append(stream_id, expected_version, [Noted(each) for each in texts], **rest)
