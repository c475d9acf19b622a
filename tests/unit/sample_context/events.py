"""What happens to doors."""

from dataclasses import dataclass
from typing import ClassVar

from app.framework.eventsourcing import Event


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    """The door is open."""

    event_type: ClassVar[str] = "DoorOpened"


@dataclass(frozen=True, slots=True)
class DoorPainted(Event):
    """The door has another colour."""

    event_type: ClassVar[str] = "DoorPainted"
    schema_version: ClassVar[int] = 3

    colour: str
