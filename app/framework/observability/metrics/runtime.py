"""What every process measures of itself: its event loop, the garbage collector; and its reports."""

import asyncio
import contextlib
import gc
import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from app.framework.observability.metrics.declarations import Reach, counter, histogram
from app.framework.observability.metrics.slots import REPORT_SECONDS, report

LOOK_SECONDS = 0.1
"""How often it is measured how late the event loop is."""

_LATE = histogram(
    "event_loop_delay_seconds",
    "How late the event loop runs what is due: all requests of the process wait for so long.",
    reach=Reach.PROCESS,
)
_COLLECTIONS = counter(
    "python_gc_collections_total", "Runs of the garbage collector.", "generation"
).known("0", "1", "2")
_COLLECTED = counter(
    "python_gc_objects_collected_total", "Objects that the collector freed.", "generation"
).known("0", "1", "2")
_PAUSES = histogram(
    "gc_pause_seconds",
    "How long a run of the garbage collector held the process up.",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
    reach=Reach.PROCESS,
)

_logger = logging.getLogger(__name__)


class _Collector:
    """What the garbage collector calls, between runs of which nothing else does."""

    def __init__(self) -> None:
        self._began = 0.0
        self._pauses = _PAUSES.of()

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        self._pauses.observe(time.perf_counter() - self._began)
        generation = str(info["generation"])
        _COLLECTIONS.of(generation).value += 1
        _COLLECTED.of(generation).value += info["collected"]


async def keep_measuring() -> None:
    """Measure until it is cancelled."""
    collector = _Collector()
    gc.callbacks.append(collector)
    try:
        await _measure()
    finally:
        gc.callbacks.remove(collector)
        with contextlib.suppress(ValueError):
            report()


async def _measure() -> None:
    loop, late = asyncio.get_running_loop(), _LATE.of()
    report_at = loop.time()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        now = loop.time()
        late.observe(max(0.0, now - due))
        if now >= report_at:
            report_at = now + REPORT_SECONDS
            try:
                report()
            except ValueError as error:
                _logger.error("%s It reports no more.", error)  # noqa: TRY400 - no traceback helps
                report_at = math.inf
