"""Pages of a view, with cursors bound to what was asked for."""

from dataclasses import replace

from app.framework.projections.consistency import ConsistentViews
from app.framework.projections.cursors import SortValue, decode_cursor, encode_cursor
from app.framework.projections.ports import Entry, Page, PageRequest, Seek
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
    """The page of `view` that `request` describes, from where `cursor` says.

    `sorts` is the type of what the documents have in the field `request.sort`.

    Raises:
        InvalidCursor: `cursor` is malformed, or belongs to another filter or order.
        StorageUnavailable: the storage cannot be reached.
        ReadModelBehind, AheadOfLog: as `ConsistentViews.page` says.

    """
    # Cursors outlive a change of the view's documents, if not two.
    meant = request if request.formerly is None else request.formerly[1]
    filters = {
        "view": view,
        "equals": dict(meant.equals),
        "word_prefix": meant.word_prefix,
        "sort": request.sort,
        "descending": request.descending,
    }
    after = decode_cursor(cursor, filters, sorts) if cursor is not None else None
    # One more than asked for shows whether there is a next page.
    entries = await views.page(
        view, replace(request, limit=request.limit + 1, after=after), context
    )
    items = entries[: request.limit]
    if len(entries) <= request.limit:
        return Page(items, None)
    last = items[-1]
    return Page(items, encode_cursor(Seek(last.document[request.sort], last.key), filters))
