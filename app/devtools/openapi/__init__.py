"""The contract with clients: what of one OpenAPI document another does not keep.

A client may go on sending what it could send, is answered with nothing that it could not be
answered with, and finds the names that its code was generated from: operations, tags, schemas,
fields, constants. So what is sent may become wider and what is answered narrower, never the
other way round; a new status of a refusal is no news, since every refusal is a problem.

Descriptions and examples are nothing that programs rely on. What no rule is written for, as
JSON Schema's `allOf` and `not`, has to stay as it is.
"""

from collections.abc import Iterator
from typing import Any

from app.devtools.openapi.operations import operation_changes
from app.devtools.openapi.schemas import SchemaComparison

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What would break clients of `before` if the service were that of `after`, a line each."""
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
