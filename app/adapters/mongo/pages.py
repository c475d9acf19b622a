"""Requests for pages in MongoDB's query language."""

import re
from typing import Any

from app.adapters.mongo.documents import NOT_DELETED
from app.projecting import PageRequest, Seek


def page_filter(request: PageRequest) -> dict[str, Any]:
    """What the documents of the page, and of the pages after it, match."""
    conditions: dict[str, dict[str, Any]] = {
        # With $eq a value is never taken for an operator.
        name: {"$eq": value}
        for name, value in request.equals.items()
    }
    if request.word_prefix is not None:
        name, prefix = request.word_prefix
        conditions.setdefault(name, {})["$regex"] = f"(^| ){re.escape(prefix)}"
    if request.after is None:
        return {**conditions, **NOT_DELETED}
    beyond = "$lt" if request.descending else "$gt"
    # The range is one that an index serves; the alternative only parts equal values by key.
    conditions.setdefault(request.sort, {})[f"{beyond}e"] = request.after.value
    return {**conditions, **NOT_DELETED, "$or": _past(request.sort, beyond, request.after)}


def page_sort(request: PageRequest) -> list[tuple[str, int]]:
    """The order of the page, total because keys are unique."""
    direction = -1 if request.descending else 1
    return [(request.sort, direction), ("_id", direction)]


def page_fields(request: PageRequest) -> dict[str, int] | None:
    """What of each document is read; None for all of it."""
    if request.fields is None:
        return None
    return dict.fromkeys((*request.fields, request.sort, "_position"), 1)


def _past(sort: str, beyond: str, seek: Seek) -> list[dict[str, Any]]:
    return [{sort: {beyond: seek.value}}, {"_id": {beyond: seek.key}}]
