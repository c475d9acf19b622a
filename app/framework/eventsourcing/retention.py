"""Purging idempotency keys that are older than the promised retention."""

import asyncio
import logging
from datetime import timedelta

from app.framework.eventsourcing.store import EventStore

MARK_INTERVAL = timedelta(hours=1)
"""The interval between marks, which the age of receipts is counted in."""

RECEIPTS_KEPT_MARKS = 26
"""After how many marks a receipt is purged. A clock jump may bring one mark too early, and an
append under way may count as older by one: 24 hours are left."""

PURGE_SECONDS = 600.0

_logger = logging.getLogger(__name__)


async def keep_purging(
    store: EventStore,
    *,
    marks: int = RECEIPTS_KEPT_MARKS,
    interval: timedelta = MARK_INTERVAL,
    every_seconds: float = PURGE_SECONDS,
) -> None:
    """Purge idempotency keys older than `marks` marks, periodically until cancelled."""
    while True:
        try:
            purged = await store.purge_receipts(marks=marks, interval=interval)
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            _logger.warning("Cannot purge idempotency keys: %s", error)
        else:
            _logger.debug("Purged %s idempotency keys.", purged.receipts)
            if purged.went_back:
                _logger.warning(
                    "The clock of the log's database is %.1f s behind its time at the last purge; "
                    "idempotency keys are kept for longer.",
                    purged.went_back.total_seconds(),
                )
        await asyncio.sleep(every_seconds)
