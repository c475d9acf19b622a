"""Paint a door."""

from dataclasses import dataclass

from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class PaintDoor(Command[int]):
    """The door is to have another colour."""

    colour: str
