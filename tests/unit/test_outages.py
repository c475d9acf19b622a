"""An outage is one line in the log, and a count when it is over."""

import asyncio

import pytest

from app.framework.observability import episodes
from app.framework.observability.outages import end_outages, note_outage
from app.framework.storage import StorageUnavailable
from tests.following import until

STORE_IS_AWAY = "Store is unavailable: it cannot be reached (try 0)"


@pytest.fixture(autouse=True)
def _soon_over(monkeypatch):
    monkeypatch.setattr(episodes, "QUIET_SECONDS", 0.05)


def said(caplog) -> list[str]:
    """What the app has logged; the loop may log what an earlier test left behind."""
    return [each.getMessage() for each in caplog.records if each.name.startswith("app.")]


def fail(storage: str, times: int) -> None:
    """So many calls fail for want of a storage."""
    for each in range(times):
        note_outage(storage, StorageUnavailable(storage, "it cannot be reached", f"try {each}"))


async def test_an_outage_is_said_once_and_counted_when_it_is_over(caplog):
    """However many calls fail; the next outage is said again."""
    fail("Store", 1000)
    assert said(caplog) == [STORE_IS_AWAY]
    await until(lambda: len(said(caplog)) > 1)
    fail("Store", 1)
    assert said(caplog) == [
        STORE_IS_AWAY,
        "Store: 1000 calls failed in this outage.",
        STORE_IS_AWAY,
    ]


async def test_outages_of_two_storages_are_two(caplog):
    """Each is said."""
    fail("Store", 2)
    fail("Other", 2)
    assert [each.split()[0] for each in said(caplog)] == ["Store", "Other"]


async def test_what_was_counted_is_said_when_the_process_stops(caplog):
    """It does not wait until the outage is over, and nothing is said of it later."""
    fail("Store", 3)
    end_outages()
    assert said(caplog)[1:] == ["Store: 3 calls failed in this outage."]
    await asyncio.sleep(0.1)
    assert len(said(caplog)) == 2
