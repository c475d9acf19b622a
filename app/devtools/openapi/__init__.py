"""The contract with clients: finds breaking changes between two OpenAPI documents.

A client can still send what it could send, gets only answers that it could get before, and finds
the names that its code was generated from: operations, tags, schemas, fields, constants. So
requests may accept more and answers may hold less, never the other way round. A new status of a
refusal is compatible, as every refusal is a problem. Credentials that were enough stay enough.

Programs do not rely on descriptions and examples. Features without a rule here, such as JSON
Schema's `allOf` and `not`, must not change.
"""

from collections.abc import Iterator
from typing import Any

from app.devtools.openapi.operations import operation_changes
from app.devtools.openapi.schemas import SchemaComparison

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_OF_A_SCHEME_FOR_PEOPLE = ("description", "bearerFormat")


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
                old, new = _secured(before, item[method]), _secured(after, kept[method])
                yield from operation_changes(schemas, where, old, new)
            elif method in item:
                yield f"{where} is gone"
    yield from _scheme_changes(before, after)
    for name in before.get("components", {}).get("schemas", ()):
        if name not in after["components"]["schemas"]:
            yield f"the schema {name} is gone"


def _secured(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    return {"security": document.get("security"), **operation}


def _scheme_changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    kept = after["components"].get("securitySchemes", {})
    for name, scheme in before.get("components", {}).get("securitySchemes", {}).items():
        if name not in kept:
            yield f"the security scheme {name} is gone"
        elif _essence(scheme) != _essence(kept[name]):
            yield f"the security scheme {name} is another"


def _essence(scheme: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in scheme.items() if name not in _OF_A_SCHEME_FOR_PEOPLE}
