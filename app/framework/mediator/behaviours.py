"""Behaviours for all messages."""

import logging
from collections.abc import Awaitable
from time import perf_counter

from app.framework.mediator.mediator import Proceed, ResultT
from app.framework.mediator.messages import Message
from app.framework.observability import tracing
from app.framework.observability.metrics import Count, Distribution, counter, histogram
from app.framework.request import RequestContext

_COUNT = counter(
    "messages_total",
    "Commands and queries, and how they ended: ok, cancelled, or the name of an error.",
    "message",
    "outcome",
)
_DURATIONS = histogram(
    "message_duration_seconds", "How long a command or query was handled.", "message"
)

_OK, _CANCELLED = "ok", "cancelled"


class Measure:
    """Measures each message: its type, how long it took, how it ended; at debug level logs it, too.

    The outermost behaviour, so that it sees what the others refuse.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._ok: dict[type, tuple[Count, Distribution]] = {}

    async def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        kind = type(message)
        started = perf_counter()
        try:
            result = await proceed(message, context)
        except BaseException as error:
            outcome = type(error).__name__ if isinstance(error, Exception) else _CANCELLED
            count, durations = _COUNT.of(kind.__name__, outcome), _DURATIONS.of(kind.__name__)
            self._note(kind, outcome, count, durations, perf_counter() - started)
            raise
        seconds = perf_counter() - started
        count, durations = self._ok.get(kind) or self._prepare(kind)
        self._note(kind, _OK, count, durations, seconds)
        return result

    def _prepare(self, kind: type) -> tuple[Count, Distribution]:
        name = kind.__name__
        cells = self._ok[kind] = _COUNT.of(name, _OK), _DURATIONS.of(name)
        return cells

    def _note(
        self, kind: type, outcome: str, count: Count, durations: Distribution, seconds: float
    ) -> None:
        count.value += 1
        durations.observe(seconds)
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug("%s: %s in %.1f ms", kind.__name__, outcome, seconds * 1000)


class Trace:
    """Has a span around each message, where the process is traced."""

    def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> Awaitable[ResultT]:
        # Not a coroutine, which would cost every message some time.
        if not tracing.is_on():
            return proceed(message, context)
        return self._traced(message, context, proceed)

    async def _traced(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        with tracing.span(f"message {type(message).__name__}"):
            return await proceed(message, context)
