"""List users as a dashboard shows them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from app.contexts.users.domain.names import (
    LONGEST_PREFIX,
    first_prefix,
    prefixes_to_find,
    search_words,
)
from app.contexts.users.domain.user import UserStatus
from app.contexts.users.projections.user_summaries import SUMMARY_FIELDS, USER_SUMMARIES, summary
from app.contexts.users.read_models import UserSummary
from app.framework.mediator import Query
from app.framework.projections import (
    BeginsWith,
    ConsistentViews,
    HasWord,
    OneOf,
    Page,
    PageRequest,
    read_page,
)
from app.framework.request import RequestContext

UserOrder = Literal["name", "-name", "created_at", "-created_at"]


@dataclass(frozen=True, slots=True)
class ListUserSummaries(Query[Page[UserSummary]]):
    """A page of the users of one status.

    q: only users with a word in their name that begins with this, ignoring case and accents.
    sort: by name or time of registration; a `-` in front reverses the order.
    cursor: the `next_cursor` of the previous page, which must have the same filters.
    """

    status: UserStatus = "active"
    q: str | None = None
    sort: UserOrder = "name"
    limit: int = 20
    cursor: str | None = None


class ListUserSummariesHandler:
    """Raises InvalidCursor."""

    def __init__(self, views: ConsistentViews) -> None:
        self._views = views

    async def __call__(
        self, query: ListUserSummaries, context: RequestContext
    ) -> Page[UserSummary]:
        page = await read_page(
            self._views,
            USER_SUMMARIES.name,
            _request(query),
            context,
            cursor=query.cursor,
            sorts=str if query.sort.endswith("name") else datetime,
        )
        return Page([summary(each) for each in page.items], page.next_cursor)


def _request(query: ListUserSummaries) -> PageRequest:
    request = PageRequest(
        equals={"status": query.status},
        sort="sort_name" if query.sort.endswith("name") else "created_at",
        descending=query.sort.startswith("-"),
        limit=query.limit,
        fields=SUMMARY_FIELDS,
    )
    return request if query.q is None else _searching(request, search_words(query.q))


def _searching(request: PageRequest, words: str) -> PageRequest:
    request = replace(request, filters=(("search_words", HasWord(words)),))
    # Version 1 has three characters of each word only, and one index for both orders.
    formerly = _with(request, word_prefixes=first_prefix(words))
    if not words:
        return formerly  # which finds nothing, in any version
    if request.sort == "sort_name":
        begins = {"sort_name": BeginsWith(words[:LONGEST_PREFIX])}
        goes_on = {"later_prefixes": OneOf(prefixes_to_find(words))}
        searching = replace(request, either=(begins, goes_on))
    else:
        searching = _with(request, word_prefixes=OneOf(prefixes_to_find(words)))
    return replace(searching, formerly=(2, formerly))


def _with(request: PageRequest, **equals: Any) -> PageRequest:
    return replace(request, equals={**request.equals, **equals})
