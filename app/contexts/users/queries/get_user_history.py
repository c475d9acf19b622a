"""Get what happened to a user."""

from dataclasses import dataclass

from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.projections.user_history import USER_HISTORY, history_entry
from app.contexts.users.read_models import UserHistoryEntry
from app.framework.eventsourcing import EventRegistry
from app.framework.mediator import Query
from app.framework.projections import ConsistentViews, Page, PageRequest, read_page
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class GetUserHistory(Query[Page[UserHistoryEntry]]):
    """What happened to this user, oldest first; `cursor` is the last page's `next_cursor`."""

    user_id: str
    limit: int = 20
    cursor: str | None = None


class GetUserHistoryHandler:
    """Raises UserNotFound and InvalidCursor."""

    def __init__(self, views: ConsistentViews, registry: EventRegistry) -> None:
        self._views = views
        self._registry = registry

    async def __call__(
        self, query: GetUserHistory, context: RequestContext
    ) -> Page[UserHistoryEntry]:
        page = await read_page(
            self._views,
            USER_HISTORY.name,
            PageRequest(equals={"user_id": query.user_id}, sort="version", limit=query.limit),
            context,
            cursor=query.cursor,
            sorts=int,
        )
        if not page.items and query.cursor is None:
            raise UserNotFound(query.user_id)
        return Page([history_entry(each, self._registry) for each in page.items], page.next_cursor)
