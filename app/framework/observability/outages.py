"""Logs an outage of a storage once when it begins, and how many calls failed once it is over."""

import asyncio
import logging
from weakref import WeakKeyDictionary

from app.framework.observability.episodes import Episode

_logger = logging.getLogger(__name__)

_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Episode]] = WeakKeyDictionary()


def note_outage(storage: str, error: Exception) -> None:
    """Log that a call failed because `storage` is away, or count it while an outage goes on.

    All that is noted in one event loop is one outage: of requests, checks and projections.
    """
    episodes = _by_loop.setdefault(asyncio.get_running_loop(), {})
    episode = episodes.get(storage)
    if episode is None:
        ended = f"{storage}: %d calls failed in this outage."
        episode = episodes[storage] = Episode(_logger, ended=ended)
    episode.count(error)


def end_outages() -> None:
    """Log how many calls failed in the outages that go on in this event loop, and end them."""
    for each in _by_loop.pop(asyncio.get_running_loop(), {}).values():
        each.end()
