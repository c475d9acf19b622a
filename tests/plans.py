"""How MongoDB answers pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.database import Database

from app.adapters.mongo.pages import page_filter, page_sort
from app.framework.projections import PageRequest, Projection


def explained(
    database: Database[Any], projection: Projection, request: PageRequest
) -> Mapping[str, Any]:
    """What MongoDB did to answer a page."""
    find = {
        "find": projection.id,
        "filter": page_filter(request),
        "sort": dict(page_sort(request)),
        "limit": request.limit,
    }
    return database.command({"explain": find, "verbosity": "executionStats"})


def stages(plan: Mapping[str, Any]) -> Iterator[str]:
    """The stages of a plan, outermost first."""
    yield plan["stage"]
    for each in (*plan.get("inputStages", ()), *filter(None, [plan.get("inputStage")])):
        yield from stages(each)


def is_by_index(plan: Mapping[str, Any]) -> bool:
    """Whether a plan takes documents from an index that is in their order."""
    used = list(stages(plan))
    return "IXSCAN" in used and not {"COLLSCAN", "SORT"} & set(used)
