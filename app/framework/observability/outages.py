"""Logs an outage of a storage once at its start, and the number of failed calls at its end."""

import asyncio
import logging
from weakref import WeakKeyDictionary

from app.framework.observability.episodes import Episode
from app.framework.observability.metrics import counter

_FAILURES = counter(
    "storage_failures_total",
    "Calls that failed as a database, or an issuer of tokens, was away.",
    "storage",
)

_logger = logging.getLogger(__name__)

_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Episode]] = WeakKeyDictionary()


def note_outage(storage: str, error: Exception) -> None:
    """Log that a call failed because `storage` is unavailable, or count it during an outage.

    Requests, checks and projections of one event loop share an outage.
    """
    _FAILURES.of(storage).value += 1
    episodes = _by_loop.setdefault(asyncio.get_running_loop(), {})
    episode = episodes.get(storage)
    if episode is None:
        ended = f"{storage}: %d calls failed in this outage."
        episode = episodes[storage] = Episode(_logger, ended=ended)
    episode.count(error)


def end_outages() -> None:
    """End the outages of this event loop, and log how many calls failed."""
    for each in _by_loop.pop(asyncio.get_running_loop(), {}).values():
        each.end()
