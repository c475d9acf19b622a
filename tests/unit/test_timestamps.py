"""The time in lines of logs."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from app.framework.observability import timestamps

AT = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("microseconds", [0, 1, 999_999, 1_000_000, 1_000_007])
def test_the_time_has_all_its_digits(microseconds, monkeypatch):
    """Also in the next second, which is another day here."""
    for more in (0, microseconds):
        at = AT + timedelta(microseconds=more)
        nanoseconds = (int(AT.timestamp()) * 1_000_000 + more) * 1_000 + 999
        monkeypatch.setattr(time, "time_ns", lambda now=nanoseconds: now)
        written = timestamps.now()
        assert written == at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.fixture
def _far_away(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_away")
def test_it_is_the_time_in_utc():
    """In a process of another time zone, too."""
    before = datetime.now(UTC)
    assert before <= datetime.fromisoformat(timestamps.now()) <= datetime.now(UTC)
