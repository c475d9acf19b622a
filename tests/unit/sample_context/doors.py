"""What doors are folded into."""

from collections.abc import Collection
from dataclasses import dataclass

from app.framework.eventsourcing import AggregateType, Claim, Event


@dataclass(frozen=True, slots=True)
class Door:
    """A door, which claims nothing."""

    @classmethod
    def evolve(cls, state: "Door | None", _: Event) -> "Door":
        """Change nothing."""
        return state or cls()

    def claims(self) -> Collection[Claim]:
        """None."""
        return ()


DOORS = AggregateType("door", Door)
