"""The feed of changes: events in the order of the log, once all views hold them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.framework.projections.ports import Entry, PageRequest, ReadModelBehind, Seek, Views
from app.framework.projections.watching import FAST_POLL_SECONDS, SLOW_POLL_SECONDS, PositionWatch
from app.framework.request import RequestContext

READ_AT_ONCE = 200

POSITION = "position"
"""The field of a followed view's documents that has the position of the event."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Events, and the position up to which they are complete."""

    entries: Sequence[Entry]
    position: int


class ChangeFeed:
    """Follows a view that has a document for each event.

    The feed returns an event once all of `views` hold it, so that a client that receives a change
    can read it.
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
            watch: waits for positions of the views.
            view: the view to follow; it has the field POSITION, and an index for it.
            views: the views that must hold an event before the feed returns it.
            seconds: how long a reader waits if `after` is ahead of the views.

        """
        self._source = source
        self._watch = watch
        self._view = view
        self._views = views
        self._seconds = seconds
        self._reached = 0

    async def read(self, *, after: int | None, seconds: float, context: RequestContext) -> Changes:
        """The events after position `after`; none if nothing happens within `seconds`.

        With None there are no events, and the position is the current one of the views.

        Raises:
            AheadOfLog: the log does not reach `after`, or the minimum position of the request.
            ReadModelBehind: the views do not reach `after`, or the minimum position.
            Overloaded: too many callers wait.
            StorageUnavailable: the storage cannot be reached.

        """
        least = max(after or 0, context.minimum_position)
        if after is None or self._reached < least:
            reached = await self._reach(
                least, self._seconds, FAST_POLL_SECONDS, is_recorded=least > 0
            )
            if after is None:
                return Changes((), reached)
        if self._reached == after:
            try:
                await self._reach(after + 1, seconds, SLOW_POLL_SECONDS)
            except ReadModelBehind:
                # The next read looks again whether the views, and the log, still reach `after`.
                self._reached = 0
                return Changes((), after)
        return await self._read(after, self._reached)

    async def _reach(
        self, position: int, seconds: float, look_seconds: float, *, is_recorded: bool = False
    ) -> int:
        reached = await self._watch.reach(
            self._views,
            position,
            seconds=seconds,
            look_seconds=look_seconds,
            is_recorded=is_recorded,
        )
        self._reached = max(self._reached, reached)
        return reached

    async def _read(self, after: int, reached: int) -> Changes:
        first = Seek(after + 1, "")  # keys are not empty, so this is before them all
        request = PageRequest(equals={}, sort=POSITION, limit=READ_AT_ONCE, after=first)
        try:
            page = await self._source.page(self._view, request, at_least=reached)
        except ReadModelBehind:
            # Another version of the view serves now, which lags a little.
            self._reached = 0
            return Changes((), after)
        # After `reached` an earlier event may still be missing.
        found = [each for each in page if each.position <= reached]
        is_all = len(page) < READ_AT_ONCE or len(found) < len(page)
        return Changes(found, reached if is_all else found[-1].position)
