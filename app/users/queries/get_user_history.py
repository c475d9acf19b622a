"""Get what happened to a user."""

from dataclasses import dataclass

from app.eventsourcing import EventRegistry
from app.mediator import Query
from app.projecting import Page, PageRequest, Views, read_page
from app.users.errors import UserNotFound
from app.users.projections.user_history import USER_HISTORY, history_entry
from app.users.read_models import UserHistoryEntry


@dataclass(frozen=True, slots=True)
class GetUserHistory(Query[Page[UserHistoryEntry]]):
    """What happened to this user, oldest first; `cursor` is the last page's `next_cursor`."""

    user_id: str
    limit: int = 20
    cursor: str | None = None


class GetUserHistoryHandler:
    """Raises UserNotFound and InvalidCursor."""

    def __init__(self, views: Views, registry: EventRegistry) -> None:
        self._views = views
        self._registry = registry

    async def __call__(self, query: GetUserHistory) -> Page[UserHistoryEntry]:
        """Read a page of the history."""
        page = await read_page(
            self._views,
            USER_HISTORY.name,
            PageRequest(equals={"user_id": query.user_id}, sort="version", limit=query.limit),
            query.cursor,
            sorts=int,
        )
        if not page.items and query.cursor is None:
            raise UserNotFound(query.user_id)
        return Page([history_entry(each, self._registry) for each in page.items], page.next_cursor)
