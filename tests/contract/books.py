"""Books in a read model, read page by page."""

from datetime import UTC, datetime
from typing import Any

from app.framework.projections import (
    ConsistentViews,
    Entry,
    Index,
    Page,
    PageRequest,
    PositionWatch,
    Projection,
    Versioned,
    by_aggregate,
    read_page,
)
from app.framework.request import NO_CONTEXT

BOOKS = Projection(
    name="books",
    version=1,
    key=by_aggregate,
    handlers={},
    indexes=(
        Index(("shelf", "title")),
        Index(("shelf", "pages")),
        Index(("shelf", "bought_at")),
        Index(("shelf", "tags", "title")),
    ),
)


async def read(library, request: PageRequest, cursor: str | None, sorts: type[Any]) -> Page[Entry]:
    """A page as queries read it."""
    views = ConsistentViews(library, PositionWatch(library), seconds=1)
    return await read_page(views, "books", request, NO_CONTEXT, cursor=cursor, sorts=sorts)


def book(shelf: int, title: str, **fields) -> dict[str, Any]:
    """A book; what is not given is the same for all."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return {"shelf": shelf, "title": title, "pages": 100, "bought_at": at, "tags": [], **fields}


async def put(library, books: dict[str, dict[str, Any]], position: int = 1) -> None:
    """Store books by key."""
    await library.write(BOOKS.id, {key: Versioned(each, position) for key, each in books.items()})
