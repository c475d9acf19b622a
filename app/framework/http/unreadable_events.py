"""Events that cannot be read: each is logged once in a process."""

import logging

from app.framework.eventsourcing import UnreadableEvent

NOTED_AT_MOST = 1000
"""How many are logged; more would say nothing new."""

_log = logging.getLogger(__name__)

_noted: set[str] = set()


def note_unreadable(error: UnreadableEvent) -> None:
    """Log `error`, unless this process has done so."""
    text = str(error)
    if text in _noted or len(_noted) >= NOTED_AT_MOST:
        return
    _noted.add(text)
    _log.error("%s Requests that depend on it are refused; this is not logged again.", text)
