"""Finds the operation of a request by its method and path, before it is routed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

_NAMED = re.compile(r"\(\?P<\w+>")
_STATE, _KEY = "state", "operation"


class OperationIndex:
    """The operations of an application; they are added once its routes are there."""

    def __init__(self) -> None:
        self._routes: list[APIRoute] = []
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, routes: Iterable[BaseRoute]) -> None:
        """Add the operations among `routes`; if several match a request, the first is found."""
        by_method = defaultdict(list)
        for each in routes:
            if isinstance(each, APIRoute):
                pattern = _NAMED.sub("(?:", each.path_regex.pattern)
                for method in each.methods or ():
                    by_method[method].append(f"(?P<r{len(self._routes)}>{pattern})")
                self._routes.append(each)
        self._patterns = {name: re.compile("|".join(them)) for name, them in by_method.items()}

    def at(self, method: str, path: str) -> APIRoute | None:
        """The operation with this method at `path`; HEAD is for the same as GET."""
        pattern = self._patterns.get("GET" if method == "HEAD" else method)
        found = pattern.match(path) if pattern else None
        return self._routes[int(found.lastgroup[1:])] if found and found.lastgroup else None


def set_operation(scope: Mapping[str, Any], operation: APIRoute | None) -> None:
    """Set the operation that the request of `scope` is for."""
    scope[_STATE][_KEY] = operation


def operation_of(scope: Mapping[str, Any]) -> APIRoute | None:
    """The operation that was set; None if there is none."""
    found: APIRoute | None = scope.get(_STATE, {}).get(_KEY)
    return found


def path_of(scope: Mapping[str, Any]) -> str:
    """The path of a request, without the prefix that a proxy strips."""
    return own_path(scope, scope["path"])


def own_path(scope: Mapping[str, Any], path: str) -> str:
    """`path` without the prefix that a proxy of the request of `scope` strips."""
    prefix = scope.get("root_path")
    return path.removeprefix(prefix) if prefix else path


def ids_in(route: APIRoute, path: str) -> Mapping[str, str]:
    """The parameters in a path of `route`, as far as they are what the operation declares."""
    found = route.path_regex.match(path)
    given = found.groupdict() if found else {}
    fields = {each.alias: each for each in route.dependant.path_params}
    return {
        name: value
        for name, value in given.items()
        if name in fields and not fields[name].validate(value)[1]
    }
