"""Views of doors."""

from app.framework.projections import Projection, by_aggregate
from tests.unit.sample_context.events import DoorOpened, DoorPainted

OPEN_DOORS = Projection(
    name="open_doors",
    version=1,
    key=by_aggregate,
    handlers={DoorOpened: lambda *_: {"open": True}},
    ignored={DoorPainted},
)

COLOURS = Projection(
    name="colours",
    version=2,
    key=by_aggregate,
    handlers={DoorPainted: lambda *_: {"painted": True}},
    ignored={DoorOpened},
)
