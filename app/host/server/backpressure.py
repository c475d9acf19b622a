"""Backpressure: reads clients more slowly that keep sending refused requests.

A refusal is cheap, but many thousands a second would leave no time for the requests under way.
"""

import asyncio
from collections import OrderedDict
from typing import Protocol

TICK_SECONDS = 0.01


class Sender(Protocol):
    """A connection that can be paused."""

    def pause(self) -> None:
        """Stop reading from it."""
        ...

    def resume(self) -> None:
        """Read from it again, if it is still open."""
        ...


class Backpressure:
    """Pauses refused senders while there are more than `a_second` refusals per second."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._most = int(a_second * TICK_SECONDS)
        self._left = self._most
        self._paused: OrderedDict[Sender, None] = OrderedDict()
        self._ticked = 0.0
        self._is_ticking = False

    def refused(self, sender: Sender) -> None:
        """Count a refused request of `sender`, which may be paused."""
        if not self._is_ticking:
            self._tick_later(asyncio.get_running_loop())
        if self._left > 0:
            self._left -= 1
        elif sender not in self._paused:  # one packet may hold many requests
            sender.pause()
            self._paused[sender] = None

    def _tick_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_ticking = True
        self._ticked = loop.time()
        loop.call_later(TICK_SECONDS, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        # Later than planned, if the loop is busy.
        more = int((loop.time() - self._ticked) * self._a_second)
        while more > 0 and self._paused:
            sender, _ = self._paused.popitem(last=False)
            sender.resume()
            more -= 1
        self._left = min(self._left + more, self._most)
        if self._paused or self._left < self._most:
            self._tick_later(loop)
        else:
            self._is_ticking = False
