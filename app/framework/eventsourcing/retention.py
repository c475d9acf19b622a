"""Forgetting what was promised to be kept for a time only."""

import asyncio
import logging
from datetime import timedelta

from app.framework.eventsourcing.store import EventStore

MARK_INTERVAL = timedelta(hours=1)
"""How far apart the marks are that receipts grow old by."""

RECEIPTS_KEPT_MARKS = 26
"""How many marks come after a receipt before it is forgotten. A jump of the clock may bring one of
them too early, and an append under way may count as older by one: 24 hours are left."""

PURGE_SECONDS = 600.0

_logger = logging.getLogger(__name__)


async def keep_purging(
    store: EventStore,
    *,
    marks: int = RECEIPTS_KEPT_MARKS,
    interval: timedelta = MARK_INTERVAL,
    every_seconds: float = PURGE_SECONDS,
) -> None:
    """Forget idempotency keys that `marks` marks came after, again and again until cancelled."""
    while True:
        try:
            purged = await store.purge_receipts(marks=marks, interval=interval)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may be gone the next time
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
