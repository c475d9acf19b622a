"""Episodes: repeated events that are logged once at the start and once at the end."""

import asyncio
import logging
from contextvars import Context

QUIET_SECONDS = 10.0
"""An episode ends after this time without another event."""


class Episode:
    """Counts repeated events instead of logging each."""

    def __init__(self, log: logging.Logger, *, begins: str = "", ended: str) -> None:
        """Log nothing yet.

        Args:
            log: the logger, for warnings.
            begins: the text at the first event; `count` may give another.
            ended: the text after `QUIET_SECONDS` without an event; its `%d` is the count.

        """
        self._log = log
        self._begins = begins
        self._ended = ended
        self._count = 0
        self._last = 0.0

    def count(self, what: object = "") -> None:
        """Count an event, within the event loop; `what` is logged instead of `begins`."""
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        self._count += 1
        if self._count == 1:
            self._log.warning("%s", what or self._begins)
            # In a context of its own: the line belongs to no single request.
            loop.call_later(QUIET_SECONDS, self._look, loop, context=Context())

    def end(self) -> None:
        """End the episode: log the count, if it is more than one."""
        if self._count > 1:
            self._log.warning(self._ended, self._count)
        self._count = 0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._count:
            return
        over = self._last + QUIET_SECONDS
        if over > loop.time():
            loop.call_at(over, self._look, loop)
            return
        self._log.warning(self._ended, self._count)
        self._count = 0
