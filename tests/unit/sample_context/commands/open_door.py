"""Open a door."""

from dataclasses import dataclass

from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class OpenDoor(Command[None]):
    """The door is to be open."""
