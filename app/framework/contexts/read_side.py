"""What handlers of queries read from."""

from collections.abc import Sequence

from app.framework.eventsourcing import EventLog, EventRegistry
from app.framework.projections import ChangeFeed, ConsistentViews, PositionWatch, Projection, Views


class ReadSide:
    """The views, as up to date as a request asks for, and what decodes the events in them."""

    def __init__(
        self,
        source: Views,
        registry: EventRegistry,
        *,
        seconds: float,
        log: EventLog | None = None,
    ) -> None:
        """Read from `source`.

        Args:
            source: where the views are.
            registry: decodes events that documents hold.
            seconds: how long a read may wait for a view to come to a position.
            log: tells positions that the log does not reach; without, they are waited for in
                vain.

        """
        self.registry = registry
        self._source = source
        self._seconds = seconds
        self._watch = PositionWatch(source, head=log.head if log is not None else None)
        self.views = ConsistentViews(source, self._watch, seconds=seconds)

    def feed(self, view: Projection, *, held_by: Sequence[Projection]) -> ChangeFeed:
        """The changes of `view`, which has a document for each event.

        An event is handed out once all views of `held_by` hold it: it can be read by then.
        """
        return ChangeFeed(
            self._source,
            self._watch,
            view=view.name,
            views=[each.name for each in held_by],
            seconds=self._seconds,
        )
