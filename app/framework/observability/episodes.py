"""What happens many times in a row, logged once when it begins and once when it is over."""

import asyncio
import logging
from contextvars import Context

QUIET_SECONDS = 10.0
"""After how long without another an episode is over."""


class Episode:
    """Counts what happens while it goes on, so that the log does not grow with it."""

    def __init__(self, log: logging.Logger, *, begins: str = "", ended: str) -> None:
        """Log nothing yet.

        Args:
            log: where it is logged, as warnings.
            begins: what is logged when it happens for the first time; `count` may say more.
            ended: what is logged once it has not happened for `QUIET_SECONDS`; `%d` in it
                stands for how often it did.

        """
        self._log = log
        self._begins = begins
        self._ended = ended
        self._count = 0
        self._last = 0.0

    def count(self, what: object = "") -> None:
        """Note that it happened, within the event loop; `what` is logged in place of `begins`."""
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        self._count += 1
        if self._count == 1:
            self._log.warning("%s", what or self._begins)
            # In a context of its own: the count is of many requests, and has the id of none.
            loop.call_later(QUIET_SECONDS, self._look, loop, context=Context())

    def end(self) -> None:
        """Log how often it happened, unless that is known: what comes next is another episode."""
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
