"""Projections are operated under load, at a small size; see `operating.py` for the large one."""

from tests.acceptance.kills import kills


async def test_kills_at_any_step_break_nothing():
    """Of a projector amid a rebuild, and of the operator amid a repair, as this seed has it.

    Documents equal the log, and clients notice nothing.
    """
    said = await kills(2, 3092, users=20, projectors=2, pause=0.3)
    assert "'rebuild': 1" in said
    assert "'documents repaired': " in said
    assert "0 stale answers, 0 broken lists, pages or streams" in said
