"""List users as a dashboard shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.mediator import Query
from app.projecting import Page, PageRequest, Views, read_page
from app.users.names import first_prefix, search_words
from app.users.projections.user_summaries import SUMMARY_FIELDS, USER_SUMMARIES, summary
from app.users.read_models import UserSummary
from app.users.user import UserStatus

UserOrder = Literal["name", "-name", "created_at", "-created_at"]


@dataclass(frozen=True, slots=True)
class ListUserSummaries(Query[Page[UserSummary]]):
    """A page of the users of one status.

    q: only users with a word in their name that begins so, whatever the case and accents.
    sort: by name or time of registration; with a `-` in front, the last come first.
    cursor: the `next_cursor` of the page before, which must have had the same filters.
    """

    status: UserStatus = "active"
    q: str | None = None
    sort: UserOrder = "name"
    limit: int = 20
    cursor: str | None = None


class ListUserSummariesHandler:
    """Raises InvalidCursor."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def __call__(self, query: ListUserSummaries) -> Page[UserSummary]:
        """Read a page of summaries."""
        page = await read_page(
            self._views,
            USER_SUMMARIES.name,
            _request(query),
            query.cursor,
            sorts=str if query.sort.endswith("name") else datetime,
        )
        return Page([summary(each) for each in page.items], page.next_cursor)


def _request(query: ListUserSummaries) -> PageRequest:
    equals: dict[str, str] = {"status": query.status}
    word_prefix = None
    if query.q is not None:
        words = search_words(query.q)
        equals["word_prefixes"] = first_prefix(words)
        word_prefix = ("search_words", words)
    return PageRequest(
        equals=equals,
        sort="sort_name" if query.sort.endswith("name") else "created_at",
        descending=query.sort.startswith("-"),
        limit=query.limit,
        word_prefix=word_prefix,
        fields=SUMMARY_FIELDS,
    )
