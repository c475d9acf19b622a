"""Projections are operated under load, at a small size; see `operating.py` for the large one."""

from tests.acceptance.kills import kills
from tests.acceptance.switches import switches


async def test_kills_at_any_step_break_nothing():
    """Of projectors, and of the operator: documents equal the log, and clients notice nothing."""
    said = await kills(2, 3, users=20, projectors=2, pause=0.3)
    assert "0 stale answers, 0 broken lists, pages or streams" in said


async def test_builds_take_over_and_go_back_unnoticed():
    """By clients that write, read what they wrote, page through lists and follow changes."""
    said = await switches(800, 2, rest_seconds=0.2)
    assert said.endswith("; 0 errors")
