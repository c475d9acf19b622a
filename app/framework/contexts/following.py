"""Following the events of a bounded context."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.framework.eventsourcing import EventRegistry
from app.framework.mediator import Query
from app.framework.projections import ChangeFeed, Entry
from app.framework.request import RequestContext

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Followed(Generic[ItemT]):
    """Events in the order of the log, and the position up to which they are complete.

    items: each with the position of its event.
    """

    items: Sequence[tuple[int, ItemT]]
    position: int


@dataclass(frozen=True, slots=True)
class Follow(Query[Followed[ItemT]], Generic[ItemT]):
    """The events after position `after`; none if nothing happens within `seconds`.

    With None there are no events, and the position is where to start. Each context that can be
    followed derives a message of its own.
    """

    after: int | None
    seconds: float


class FollowHandler(Generic[ItemT]):
    """Answers a `Follow` with the changes of a feed, each as `item` makes it.

    Raises what `ChangeFeed.read` raises, and UnreadableEvent.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        registry: EventRegistry,
        item: Callable[[Entry, EventRegistry], ItemT],
    ) -> None:
        self._feed = feed
        self._registry = registry
        self._item = item

    async def __call__(self, query: Follow[ItemT], context: RequestContext) -> Followed[ItemT]:
        found = await self._feed.read(after=query.after, seconds=query.seconds, context=context)
        items = [(each.position, self._item(each, self._registry)) for each in found.entries]
        return Followed(items, found.position)
