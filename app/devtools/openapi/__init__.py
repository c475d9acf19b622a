"""The contract with clients: finds breaking changes between two OpenAPI documents.

A client can still send what it could send, gets only answers that it could get before, and finds
the names that its code was generated from: operations, tags, schemas, fields, constants. So
requests may accept more and answers may hold less, never the other way round. A new status of a
refusal is compatible, as every refusal is a problem.

Programs do not rely on descriptions and examples. Features without a rule here, such as JSON
Schema's `allOf` and `not`, must not change.
"""

from collections.abc import Iterator
from typing import Any

from app.devtools.openapi.operations import operation_changes
from app.devtools.openapi.schemas import SchemaComparison

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The changes from `before` to `after` that break clients, one line each."""
    return list(dict.fromkeys(_changes(before, after)))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    schemas = SchemaComparison(before, after)
    for path, item in before.get("paths", {}).items():
        kept = after["paths"].get(path, {})
        for method in _METHODS:
            where = f"{method.upper()} {path}"
            if method in item and method in kept:
                yield from operation_changes(schemas, where, item[method], kept[method])
            elif method in item:
                yield f"{where} is gone"
    for name in before.get("components", {}).get("schemas", ()):
        if name not in after["components"]["schemas"]:
            yield f"the schema {name} is gone"
