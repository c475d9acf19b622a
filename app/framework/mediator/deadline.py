"""A deadline for messages."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.framework.mediator.mediator import Proceed, ResultT
from app.framework.mediator.messages import Message
from app.framework.request import RequestContext


class _UnderWay:
    """A message that is handled: in which task, until when, and whether that is over."""

    __slots__ = ("is_late", "task", "until")

    def __init__(self, task: asyncio.Task[Any], until: float) -> None:
        self.task = task
        self.until = until
        self.is_late = False


class Deadline:
    """Cancels the handler of a message after `seconds`, and raises the error of `error()`.

    Whether a write under way was committed is unknown then.

    All have the same time, so they end in the order in which they began, and one timer is enough:
    it is that of the oldest. `asyncio.timeout` has one for each, which took a seventh of the time
    of a read from memory.
    """

    def __init__(self, seconds: float, error: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._error = error
        self._under_way: dict[_UnderWay, None] = {}
        self._timer_of: asyncio.AbstractEventLoop | None = None

    async def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        under_way = _UnderWay(task, loop.time() + self._seconds)
        if self._timer_of is not loop:
            self._under_way.clear()  # of a loop that is closed
            self._timer_of = loop
            loop.call_at(under_way.until, self._end_late, loop)
        self._under_way[under_way] = None
        cancelled_before = task.cancelling()
        try:
            return await proceed(message, context)
        except TimeoutError as error:
            if under_way.is_late:  # how it ended when it was cancelled
                raise self._error() from error
            raise
        except asyncio.CancelledError as error:
            if under_way.is_late and task.cancelling() - 1 <= cancelled_before:
                raise self._error() from error
            raise
        finally:
            self._under_way.pop(under_way, None)
            if under_way.is_late:
                task.uncancel()

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        for each in list(self._under_way):
            if each.until > loop.time():
                loop.call_at(each.until, self._end_late, loop)
                return
            del self._under_way[each]
            each.is_late = True
            each.task.cancel()
        self._timer_of = None
