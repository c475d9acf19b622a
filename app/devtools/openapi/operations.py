"""Compares operations: their parameters, bodies and answers."""

from collections.abc import Iterator
from typing import Any

from app.devtools.openapi.schemas import SchemaComparison

Json = dict[str, Any]
Requirement = dict[str, list[str]]
Requirements = list[Requirement] | None

_AS_THEY_ARE = ("operationId", "tags", "servers", "callbacks")


def operation_changes(
    schemas: SchemaComparison, where: str, before: Json, after: Json
) -> Iterator[str]:
    """The breaking changes of an operation, which is called `where`."""
    for each in _AS_THEY_ARE:
        if before.get(each) != after.get(each):
            yield f"{where}: {each} was {before.get(each)!r}, is {after.get(each)!r}"
    yield from _security(where, before.get("security"), after.get("security"))
    yield from _parameters(schemas, where, before, after)
    yield from _body(schemas, where, before.get("requestBody"), after.get("requestBody"))
    for status, response in before["responses"].items():
        if status in after["responses"]:
            there = f"{where}, {status}"
            yield from _response(schemas, there, response, after["responses"][status])
        else:
            yield f"{where} no longer declares {status}"


def _security(where: str, before: Requirements, after: Requirements) -> Iterator[str]:
    # Each requirement is an alternative; none at all, like an empty one, takes no credentials.
    for met in before or [{}]:
        if not any(_is_met(each, met) for each in after or [{}]):
            yield f"{where} no longer takes {met or 'requests without credentials'}"


def _is_met(needed: Requirement, met: Requirement) -> bool:
    return all(each in met and {*needed[each]} <= {*met[each]} for each in needed)


def _parameters(schemas: SchemaComparison, where: str, before: Json, after: Json) -> Iterator[str]:
    old, new = (
        {f"{each['in']} parameter {each['name']}": each for each in operation.get("parameters", ())}
        for operation in (before, after)
    )
    for name, parameter in old.items():
        there = f"{where}, {name}"
        if name not in new:
            yield f"{there} is gone"
            continue
        if new[name].get("required") and not parameter.get("required"):
            yield f"{there} is required now"
        yield from schemas.changes(there, parameter["schema"], new[name]["schema"], sent=True)
    for name, parameter in new.items():
        if name not in old and parameter.get("required"):
            yield f"{where}, {name} is new and required"


def _body(
    schemas: SchemaComparison, where: str, before: Json | None, after: Json | None
) -> Iterator[str]:
    if after is None:
        if before is not None:
            yield f"{where} takes no body any more"
        return
    if after.get("required") and not (before or {}).get("required"):
        yield f"{where} requires a body now"
    if before is not None:
        yield from _content(schemas, f"{where}, body", before, after, sent=True)


def _response(schemas: SchemaComparison, where: str, before: Json, after: Json) -> Iterator[str]:
    kept = after.get("headers", {})
    for name, header in before.get("headers", {}).items():
        there = f"{where}, header {name}"
        if name not in kept:
            yield f"{there} is gone"
            continue
        old, new = schemas.resolved(header, kept[name])
        if old.get("required") and not new.get("required"):
            yield f"{there} may be left out now"
        yield from schemas.changes(there, old["schema"], new["schema"], sent=False)
    yield from _content(schemas, where, before, after, sent=False)


def _content(
    schemas: SchemaComparison, where: str, before: Json, after: Json, *, sent: bool
) -> Iterator[str]:
    kept = after.get("content", {})
    for media_type, content in before.get("content", {}).items():
        if media_type in kept:
            new = kept[media_type].get("schema", {})
            yield from schemas.changes(where, content.get("schema", {}), new, sent=sent)
        else:
            yield f"{where} is no longer {media_type}"
