"""Pages of a view, with cursors that are bound to their filters and order."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.framework.projections.consistency import ConsistentViews
from app.framework.projections.cursors import SortValue, decode_cursor, encode_cursor
from app.framework.projections.ports import Entry, HasWord, Page, PageRequest, Seek
from app.framework.request import RequestContext


async def read_page(
    views: ConsistentViews,
    view: str,
    request: PageRequest,
    context: RequestContext,
    *,
    cursor: str | None,
    sorts: type[SortValue],
) -> Page[Entry]:
    """The page of `view` that `request` describes, starting at `cursor`.

    `sorts` is the type of the field `request.sort`.

    Raises:
        InvalidCursor: `cursor` is malformed, or belongs to another filter or order.
        StorageUnavailable: the storage cannot be reached.
        ReadModelBehind, AheadOfLog: see `ConsistentViews.page`.

    """
    # Cursors survive one change of the view's documents, but not two.
    meant = request if request.formerly is None else request.formerly[1]
    filters = {
        "view": view,
        "equals": dict(meant.equals),
        # Cursors of clients use the former name.
        "word_prefix": _flat(meant.filters) or None,
        "sort": request.sort,
        "descending": request.descending,
        **({"either": [dict(each) for each in meant.either]} if meant.either else {}),
    }
    after = decode_cursor(cursor, filters, sorts) if cursor is not None else None
    # One more than requested, to know whether there is a next page.
    entries = await views.page(
        view, replace(request, limit=request.limit + 1, after=after), context
    )
    items = entries[: request.limit]
    if len(entries) <= request.limit:
        return Page(items, None)
    last = items[-1]
    return Page(items, encode_cursor(Seek(last.document[request.sort], last.key), filters))


def _flat(filters: Iterable[tuple[str, Any]]) -> list[Any]:
    return [
        part
        for name, value in filters
        for part in (name, value.prefix if isinstance(value, HasWord) else value)
    ]
