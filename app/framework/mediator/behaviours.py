"""Behaviours for all messages."""

import asyncio
import logging
import time
from collections.abc import Callable

from app.framework.mediator.mediator import Proceed, ResultT
from app.framework.mediator.messages import Message
from app.framework.request import RequestContext


class Log:
    """Logs each message at debug level: its type, how long it took, how it ended."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    async def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        if not self._logger.isEnabledFor(logging.DEBUG):
            return await proceed(message, context)
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            result = await proceed(message, context)
            outcome = "ok"
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            taken = (time.perf_counter() - started) * 1000
            self._logger.debug("%s: %s in %.1f ms", type(message).__name__, outcome, taken)
        return result


class Deadline:
    """Cancels the handler of a message after `seconds`, and raises the error of `error()`.

    Whether a write under way was committed is unknown then.
    """

    def __init__(self, seconds: float, error: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._error = error

    async def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await proceed(message, context)
        except TimeoutError as late:
            if not limit.expired():
                raise
            raise self._error() from late
