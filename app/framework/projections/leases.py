"""Keeps the leases of a process while it works on their builds."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Collection
from uuid import uuid4

from app.framework.projections.build_store import BuildStore
from app.framework.projections.builds import Lease
from app.framework.projections.measures import measure_lost

RENEW_SECONDS = 2.0
"""A third of a lease: two renewals may fail."""

_logger = logging.getLogger(__name__)


def new_holder() -> str:
    """A name for a process among the projectors: its host, its id, and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


async def keep_renewing(
    store: BuildStore,
    held: Callable[[], Collection[Lease]],
    lost: Callable[[Collection[Lease]], None],
    stopping: asyncio.Event,
) -> None:
    """Extend the leases that `held` returns, again and again; tell `lost` of those that are not.

    Beside the saves of checkpoints, which extend a lease too: a batch may take longer than that.
    Ends when it is cancelled, also if a driver loses that, provided that `stopping` is set.
    """
    while not stopping.is_set():
        await asyncio.sleep(RENEW_SECONDS)
        leases = held()
        if leases:
            try:
                gone = await store.renew(leases)
                measure_lost(len(gone))
                lost(gone)
            except Exception as error:  # noqa: BLE001 - the next save or renewal will show
                _logger.debug("Cannot renew the leases: %s", error)
