"""The watch of the clock of a log's database."""

from datetime import UTC, datetime

import pytest

from app.framework.eventsourcing import ClockWatch, LogClock
from app.framework.storage import StorageUnavailable
from tests.following import running, until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Refusing:
    """A log whose clock cannot be looked at, at first."""

    def __init__(self, error: Exception) -> None:
        self.looks = 0
        self._error = error

    async def clock(self) -> LogClock:
        """Fail twice, then tell the time."""
        self.looks += 1
        if self.looks <= 2:
            raise self._error
        return LogClock(None, NOW)


@pytest.mark.parametrize("error", [StorageUnavailable("Log", "gone"), PermissionError("no")])
async def test_a_look_that_fails_does_not_end_the_watch(error):
    """A database that refuses may yet answer, whatever its driver raises meanwhile."""
    log = Refusing(error)
    async with running(ClockWatch(log).run(every_seconds=0)):
        await until(lambda: log.looks > 3)
