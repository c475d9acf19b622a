"""The read side, as handlers of queries get it."""

from collections.abc import Sequence

from app.framework.eventsourcing import EventLog, EventRegistry
from app.framework.projections import ChangeFeed, ConsistentViews, PositionWatch, Projection, Views


class ReadSide:
    """The views, and the registry that decodes the events in them."""

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
            seconds: how long a read may wait for a view to reach a position.
            log: used to refuse positions past its end at once; without it reads wait for them.

        """
        self.registry = registry
        self._source = source
        self._seconds = seconds
        self._watch = PositionWatch(source, head=log.head if log is not None else None)
        self.views = ConsistentViews(source, self._watch, seconds=seconds)

    def feed(self, view: Projection, *, held_by: Sequence[Projection]) -> ChangeFeed:
        """The changes of `view`, which has a document for each event.

        The feed returns an event once all views of `held_by` hold it.
        """
        return ChangeFeed(
            self._source,
            self._watch,
            view=view.name,
            views=[each.name for each in held_by],
            seconds=self._seconds,
        )
