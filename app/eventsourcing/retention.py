"""Forgetting what was promised to be kept for a time only."""

import asyncio
import logging
from datetime import timedelta

from app.eventsourcing.store import EventStore

RECEIPTS_KEPT = timedelta(hours=24)
"""For how long a command can be repeated under its idempotency key, at least."""

PURGE_SECONDS = 600.0

_logger = logging.getLogger(__name__)


async def keep_purging(
    store: EventStore,
    *,
    older_than: timedelta = RECEIPTS_KEPT,
    every_seconds: float = PURGE_SECONDS,
) -> None:
    """Forget idempotency keys older than `older_than`, again and again until cancelled."""
    while True:
        try:
            purged = await store.purge_receipts(older_than=older_than)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may be gone the next time
            _logger.warning("Idempotency keys could not be purged: %s", error)
        else:
            _logger.debug("Purged %s idempotency keys.", purged)
        await asyncio.sleep(every_seconds)
