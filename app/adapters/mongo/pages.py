"""Requests for pages in MongoDB's query language."""

import re
from collections.abc import Iterable
from typing import Any

from app.adapters.mongo.documents import NOT_DELETED
from app.framework.projections import BeginsWith, HasWord, OneOf, PageRequest, Seek


def page_filter(request: PageRequest) -> dict[str, Any]:
    """The filter of the documents of this page and the following ones."""
    conditions = _conditions([*request.equals.items(), *request.filters])
    if request.after is not None:
        conditions += _past(request.sort, request.after, descending=request.descending)
    conditions.append(NOT_DELETED)
    if request.either:
        # In this form MongoDB reads each from its own index and merges them, in order.
        return {
            "$or": [{"$and": [*_conditions(each.items()), *conditions]} for each in request.either]
        }
    return {"$and": conditions}


def page_sort(request: PageRequest) -> list[tuple[str, int]]:
    """The order of the page, total because keys are unique."""
    direction = -1 if request.descending else 1
    return [(request.sort, direction), ("_id", direction)]


def page_fields(request: PageRequest) -> dict[str, int] | None:
    """The fields of each document to read; None for all."""
    if request.fields is None:
        return None
    return dict.fromkeys((*request.fields, request.sort, "_position"), 1)


def _conditions(fields: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{name: _condition(value)} for name, value in fields]


def _condition(value: Any) -> dict[str, Any]:
    match value:
        case OneOf(values) if len(values) > 1:
            return {"$in": list(values)}
        case OneOf((value,)):
            return {"$eq": value}
        case BeginsWith(text):
            return {"$regex": f"^{re.escape(text)}"}
        case HasWord(prefix):
            return {"$regex": f"(^| ){re.escape(prefix)}"}
    # With $eq a value is never interpreted as an operator.
    return {"$eq": value}


def _past(sort: str, seek: Seek, *, descending: bool) -> list[dict[str, Any]]:
    # An index serves this range. The condition on keys of equal values is no range; it is not an
    # $or, which MongoDB may run as two searches and a sort.
    beyond, before = ("$lte", "$gte") if descending else ("$gte", "$lte")
    return [
        {sort: {beyond: seek.value}},
        {"$nor": [{sort: {"$eq": seek.value}, "_id": {before: seek.key}}]},
    ]
