"""Watches the clock of the log's database: events carry its time, and it may be wrong."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

CLOCK_TOLERANCE = timedelta(seconds=1)
"""How far a clock may be off before a warning."""

LOOK_SECONDS = 10.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogClock:
    """Two times as the log's database sees them, in UTC.

    recorded_at: the time of the last event; None for an empty log.
    now: the time of its clock.
    """

    recorded_at: datetime | None
    now: datetime

    @property
    def ahead(self) -> timedelta:
        """How far the time of the last event is ahead of the clock.

        Times of events never go back: until the clock has caught up, all events get that time.
        """
        if self.recorded_at is None:
            return timedelta(0)
        return max(timedelta(0), self.recorded_at - self.now)


class DatedLog(Protocol):
    """A log whose database has a clock."""

    async def clock(self) -> LogClock:
        """The time of the last event and that of the clock, as they are now.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        ...


class ClockWatch:
    """Checks the clock of a log periodically, and warns when it is wrong.

    ahead_seconds: how far the times of new events are ahead of the clock; normally 0.
    jumps: how often the clock has jumped, measured by this process's monotonic clock.
    """

    def __init__(self, log: DatedLog) -> None:
        self.ahead_seconds = 0.0
        self.jumps = 0
        self._log = log
        self._last: _Look | None = None

    async def run(self, *, every_seconds: float = LOOK_SECONDS) -> None:
        """Check periodically until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the watch goes on, as the purge does
                _logger.debug("Cannot read the clock of the log's database: %r", error)
            await asyncio.sleep(every_seconds)

    async def look(self) -> None:
        """Check once.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        monotonic = asyncio.get_running_loop().time
        began = monotonic()
        clock = await self._log.clock()
        look = _Look(clock.now, began, monotonic())
        if self._last is not None and (jump := look.jump_since(self._last)):
            self.jumps += 1
            _logger.warning(
                "The clock of the log's database jumped by %+.1f s within %.1f s. Let NTP "
                "keep its time, in small steps.",
                jump.total_seconds(),
                look.ended - self._last.began,
            )
        self._last = look
        self._note_ahead(clock)

    def _note_ahead(self, clock: LogClock) -> None:
        was_ahead, is_ahead = self.ahead_seconds > 0, clock.ahead > CLOCK_TOLERANCE
        self.ahead_seconds = clock.ahead.total_seconds() if is_ahead else 0.0
        if is_ahead and not was_ahead:
            _logger.warning(
                "The last event has the time %s, %.1f s ahead of the clock of the log's database. "
                "New events get that time until the clock has caught up; a read with an earlier "
                "as_of does not show them.",
                clock.recorded_at,
                self.ahead_seconds,
            )
        if was_ahead and not is_ahead:
            _logger.warning("The clock of the log's database has caught up with the last event.")


@dataclass(frozen=True, slots=True)
class _Look:
    """The time of the database's clock, between two times of the monotonic clock."""

    said: datetime
    began: float
    ended: float

    def jump_since(self, before: "_Look") -> timedelta:
        """The least jump of the clock that explains both times; 0 if none is needed."""
        passed = self.said - before.said
        longest = timedelta(seconds=self.ended - before.began) + CLOCK_TOLERANCE
        shortest = timedelta(seconds=self.began - before.ended) - CLOCK_TOLERANCE
        if passed > longest:
            return passed - longest + CLOCK_TOLERANCE
        if passed < shortest:
            return passed - shortest - CLOCK_TOLERANCE
        return timedelta(0)
