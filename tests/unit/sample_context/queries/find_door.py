"""Find a door."""

from dataclasses import dataclass

from app.framework.mediator import Query


@dataclass(frozen=True, slots=True)
class FindDoor(Query[str]):
    """Where the door is."""
