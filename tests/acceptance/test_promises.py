"""What the API promises, put to the test at a small size; see `promises.py` for the large one."""

import pytest

from tests.acceptance import promises, streaming

pytestmark = pytest.mark.usefixtures("shared_servers")


async def test_reads_hold_the_writes_whose_tokens_they_are_sent():
    """On several processes; and never silently without."""
    assert "200 reads with tokens: {'held': 200}" in await promises.tokens(200)


async def test_writes_sent_again_and_again_have_one_effect():
    """At once, and after a SIGKILL."""
    assert "100 effects, one answer each" in await promises.keys(100)


async def test_changes_are_told_once_and_in_order():
    """To readers who are cut off, on whichever process they resume."""
    said = await promises.changes(100)
    assert "each was told of each change once, in order" in said


async def test_lists_miss_nobody_and_list_nobody_twice():
    """While others are added."""
    assert (await promises.pages(300)).count("none twice, none missed") == 4


async def test_readers_leave_room_for_writes_and_health():
    """Few here, for a moment: `streaming.py` measures a thousand."""
    measured = await streaming.measure(150, 1)
    assert max(measured.together_health.seconds + measured.returning_health.seconds) < 2
    assert measured.together > 0
