"""What happens, in the order of the log, for those who follow it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.framework.projections.ports import Entry, PageRequest, ReadModelBehind, Seek, Views
from app.framework.projections.watching import FAST_POLL_SECONDS, SLOW_POLL_SECONDS, PositionWatch
from app.framework.request import RequestContext

READ_AT_ONCE = 200

POSITION = "position"
"""The field of the position of its event that every document of a followed view has."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Some of what happened, and the position of the log up to which that is all."""

    entries: Sequence[Entry]
    position: int


class ChangeFeed:
    """A view that has a document for each event, followed as it grows.

    An event is told once all of `views` hold it: whoever hears of a change can read it.
    """

    def __init__(
        self,
        source: Views,
        watch: PositionWatch,
        *,
        view: str,
        views: Collection[str],
        seconds: float,
    ) -> None:
        """Follow `view`, one of `views`, in `source`.

        Args:
            source: where the views are.
            watch: tells how far they are.
            view: the one to follow; it has the field POSITION, and an index for it.
            views: those that have to hold an event before it is told.
            seconds: how long a reader who is ahead of them waits for them at most.

        """
        self._source = source
        self._watch = watch
        self._view = view
        self._views = views
        self._seconds = seconds
        self._reached = 0

    async def read(self, *, after: int | None, seconds: float, context: RequestContext) -> Changes:
        """What happened past position `after`; nothing if nothing happens within `seconds`.

        With None it is nothing, and the position is where the views are now.

        Raises:
            AheadOfLog: the log does not reach `after`, or the minimum position of the request.
            ReadModelBehind: the views do not come to `after`, or to the minimum position.
            Overloaded: too many wait already.
            StorageUnavailable: the storage cannot be reached.

        """
        least = max(after or 0, context.minimum_position)
        if after is None or self._reached < least:
            await self._reach(least, self._seconds, FAST_POLL_SECONDS, is_recorded=least > 0)
        if after is None:
            return Changes((), self._reached)
        if self._reached == after:
            try:
                await self._reach(after + 1, seconds, SLOW_POLL_SECONDS)
            except ReadModelBehind:
                return Changes((), after)
        return await self._read(after, self._reached)

    async def _reach(
        self, position: int, seconds: float, look_seconds: float, *, is_recorded: bool = False
    ) -> None:
        reached = await self._watch.reach(
            self._views,
            position,
            seconds=seconds,
            look_seconds=look_seconds,
            is_recorded=is_recorded,
        )
        self._reached = max(self._reached, reached)

    async def _read(self, after: int, reached: int) -> Changes:
        first = Seek(after + 1, "")  # keys are not empty, so it is what comes before them all
        request = PageRequest(equals={}, sort=POSITION, limit=READ_AT_ONCE, after=first)
        try:
            page = await self._source.page(self._view, request, at_least=reached)
        except ReadModelBehind:
            # Another version of the view serves since, which is not quite as far.
            self._reached = 0
            return Changes((), after)
        # What is past `reached` may lack an earlier event yet.
        told = [each for each in page if each.position <= reached]
        is_all = len(page) < READ_AT_ONCE or len(told) < len(page)
        return Changes(told, reached if is_all else told[-1].position)
