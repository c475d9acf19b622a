"""Follow what happens to users."""

from dataclasses import dataclass

from app.eventsourcing import EventRegistry
from app.mediator import Query
from app.projecting import ChangeFeed
from app.users.projections.user_history import change
from app.users.read_models import UserChanges


@dataclass(frozen=True, slots=True)
class FollowUsers(Query[UserChanges]):
    """What happened past position `after`; nothing if nothing happens within `seconds`.

    With None it is nothing, and where to go on from to be told of whatever happens from now on.
    """

    after: int | None
    seconds: float


class FollowUsersHandler:
    """Raises ReadModelBehind if `after` is ahead of the views."""

    def __init__(self, feed: ChangeFeed, registry: EventRegistry) -> None:
        self._feed = feed
        self._registry = registry

    async def __call__(self, query: FollowUsers) -> UserChanges:
        """Read on, or wait for what comes."""
        found = await self._feed.read(after=query.after, seconds=query.seconds)
        items = [change(each, self._registry) for each in found.entries]
        return UserChanges(items, found.position)
