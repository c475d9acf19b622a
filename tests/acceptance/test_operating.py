"""Projections are operated under load, at a small size; see `operating.py` for the large one."""

from tests.acceptance.kills import kills


async def test_kills_at_any_step_break_nothing():
    """Of projectors, and of the operator: documents equal the log, and clients notice nothing."""
    said = await kills(2, 3, users=20, projectors=2, pause=0.3)
    assert "0 stale answers, 0 broken lists, pages or streams" in said
