"""A small endurance run; `make endurance` is a large one."""

from app.bootstrap import all_projections
from tests.acceptance.endurance import endure


async def test_nothing_acknowledged_is_lost_over_kills(folder):
    """Killed three times under load, the service loses and repeats nothing."""
    said = await endure(users=300, kills=3, data_dir=folder / "data")
    assert said.count("nothing differs") == len(all_projections())
