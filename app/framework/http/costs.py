"""What requests cost, in units of their client's rate limit."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute

from app.framework.http.operation_index import operation_of
from app.framework.http.operations import Operation

READ = 1
WRITE = 2
LIST = 5
"""Of a page of a list."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CURSOR = "cursor"


class Costs:
    """The costs of operations: those that are declared, else by what an operation is."""

    def __init__(self, declared: Iterable[Operation]) -> None:
        self._dear = {each.name: each.costs for each in declared if each.costs}
        self._known: dict[str, int] = {}

    def of(self, scope: Mapping[str, Any]) -> int:
        """The cost of the request of `scope`."""
        route = operation_of(scope)
        if route is None:
            return READ if scope["method"] in _SAFE else WRITE
        if (cost := self._known.get(route.name)) is None:
            cost = self._known[route.name] = _by_kind(route)
        dear = self._dear.get(route.name)
        if dear and scope["query_string"]:
            given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            return max([cost, *(dear.get(name, cost) for name, _ in given)])
        return cost


def _by_kind(route: APIRoute) -> int:
    if not _SAFE.issuperset(route.methods or ()):
        return WRITE
    is_list = any(each.alias == _CURSOR for each in route.dependant.query_params)
    return LIST if is_list else READ
