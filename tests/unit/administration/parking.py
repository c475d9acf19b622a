"""Notes that are parked."""

from app.framework.projections import Projection
from tests.following import catch_up
from tests.notes import NoteAdded, NoteWritten, append
from tests.unit.administration.desk import Desk
from tests.unit.projecting.refusing import refusing

BROKEN = refusing("notes", "poison".__eq__, parks=True)


async def follow(desk: Desk, projection: Projection) -> None:
    """A process with this fold follows the log to its end."""
    await catch_up(desk.log, desk.store, projection)


async def parking(*keys: str) -> Desk:
    """These notes are parked, each with two events that wait."""
    desk = Desk()
    for key in keys:
        await append(desk.log, key, NoteWritten("text"))
        await append(desk.log, key, NoteAdded("poison"), NoteAdded("more"))
    await follow(desk, BROKEN)
    return desk
