"""Compares schemas: what requests may hold, and what answers may hold."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_ANYTHING = "anything"
_AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_PATTERN = "pattern"  # two patterns cannot be compared
_CONSTANTS = "x-enum-varnames"
_FURTHER = "additionalProperties"
_ELEMENTS = ("items", "contentSchema")

_RULED = {
    *("type", "anyOf", "oneOf", "default", "enum", "const", _CONSTANTS),
    *(*_AT_LEAST, *_AT_MOST, _PATTERN, "properties", "required", _FURTHER, *_ELEMENTS),
}
_SAYS_NOTHING = {"title", "description", "examples", "example", "deprecated", "$comment"}


class SchemaComparison:
    """Compares schemas of two documents; a referenced schema is compared once."""

    def __init__(self, before: Json, after: Json) -> None:
        self._before = before
        self._after = after
        self._compared: set[tuple[str, str, bool]] = set()

    def resolved(self, before: Json, after: Json) -> tuple[Json, Json]:
        """The targets of the two if they are references; otherwise they themselves."""
        return _resolved(self._before, before), _resolved(self._after, after)

    def changes(self, where: str, before: Json, after: Json, *, sent: bool) -> Iterator[str]:
        """The changes that break clients that send (`sent`) or receive values of `before`."""
        if sent and "default" in before and before["default"] != after.get("default"):
            yield f"{where} means {after.get('default')!r} now when it is left out"
        old, new = _alternatives(self._before, before), _alternatives(self._after, after)
        for kind, schema in old if sent else new:
            fitting = [each for name, each in (new if sent else old) if _fits(kind, name)]
            match [each for each in fitting if each == schema] or fitting:
                case [counterpart]:
                    pair = (schema, counterpart) if sent else (counterpart, schema)
                    yield from self._alike(where, *pair, sent=sent)
                case _ if sent:
                    yield f"{where} no longer takes {kind}"
                case _:
                    yield f"{where} may be {kind} now"

    def _alike(self, where: str, before: Json, after: Json, *, sent: bool) -> Iterator[str]:
        if "$ref" in before:
            where = before["$ref"].rpartition("/")[2]
            pair = (str(before), str(after), sent)
            if pair in self._compared:
                return
            self._compared.add(pair)
        before, after = self.resolved(before, after)
        yield from _values(where, before, after, sent=sent)
        yield from _limits(where, before, after, sent=sent)
        yield from self._fields(where, before, after, sent=sent)
        for name in _ELEMENTS:
            if name in before or name in after:
                elements = (before.get(name, {}), after.get(name, {}))
                yield from self.changes(f"{where}[]", *elements, sent=sent)
        for name in sorted((before.keys() | after.keys()) - _RULED - _SAYS_NOTHING):
            if not name.startswith("x-") and before.get(name) != after.get(name):
                yield _was(where, name, before, after)

    def _fields(self, where: str, before: Json, after: Json, *, sent: bool) -> Iterator[str]:
        old, new = before.get("properties", {}), after.get("properties", {})
        for name, field in old.items():
            if name in new:
                yield from self.changes(f"{where}.{name}", field, new[name], sent=sent)
            else:
                yield f"{where}.{name} is gone"
        required, required_now = set(before.get("required", ())), set(after.get("required", ()))
        if sent:
            yield from (
                f"{where}.{each} is required now" for each in sorted(required_now - required)
            )
        else:
            lost = (required - required_now) & new.keys()
            yield from (f"{where}.{each} may be left out now" for each in sorted(lost))
        if _FURTHER in before or _FURTHER in after:
            yield from self._further_fields(where, before, after, sent=sent)

    def _further_fields(
        self, where: str, before: Json, after: Json, *, sent: bool
    ) -> Iterator[str]:
        old, new = before.get(_FURTHER, True), after.get(_FURTHER, True)
        if new is False and old is not False and sent:
            yield f"{where} takes no further fields now"
        elif old is False and not sent:
            added = after.get("properties", {}).keys() - before.get("properties", {})
            yield from (
                f"{where}.{each} is new, in what had no further fields" for each in sorted(added)
            )
            if new is not False:
                yield f"{where} may have further fields now"
        elif old is not False and new is not False:
            open_to = ({} if old is True else old, {} if new is True else new)
            yield from self.changes(f"{where}.*", *open_to, sent=sent)


def _resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        target: Any = document
        for token in schema["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/").replace("~0", "~")]
        schema = {**target, **{name: each for name, each in schema.items() if name != "$ref"}}
    return schema


def _alternatives(document: Json, schema: Json) -> list[tuple[str, Json]]:
    """Each type of values of `schema`, with its part of the schema."""
    resolved = _resolved(document, schema)
    union = resolved.get("anyOf") or resolved.get("oneOf")
    if union:
        return [found for each in union for found in _alternatives(document, each)]
    kind = resolved.get("type", _ANYTHING)
    return [(each, schema) for each in kind] if isinstance(kind, list) else [(kind, schema)]


def _fits(kind: str, other: str) -> bool:
    return other in {kind, _ANYTHING} or (kind, other) == ("integer", "number")


def _values(where: str, before: Json, after: Json, *, sent: bool) -> Iterator[str]:
    old, new = _enumerated(before), _enumerated(after)
    if sent and new is not None:
        if old is None:
            yield f"{where} takes only {new} now"
        yield from (f"{where} no longer takes {each!r}" for each in old or () if each not in new)
    elif not sent and old is not None:
        if new is None:
            yield f"{where} may be other than {old} now"
        yield from (f"{where} may be {each!r} now" for each in new or () if each not in old)
    names = _constants(after)
    for value, name in _constants(before).items():
        if value in after.get("enum", ()) and names.get(value) != name:
            yield f"{where}: the constant {name} is {names.get(value)} now"


def _enumerated(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _constants(schema: Json) -> dict[Any, str]:
    return dict(zip(schema.get("enum", ()), schema.get(_CONSTANTS, ()), strict=False))


def _limits(where: str, before: Json, after: Json, *, sent: bool) -> Iterator[str]:
    inner, outer = (before, after) if sent else (after, before)
    for name in (*_AT_LEAST, *_AT_MOST, _PATTERN):
        if name in outer and not _keeps(name, inner.get(name), outer[name]):
            yield _was(where, name, before, after)


def _keeps(name: str, limit: Any, bound: Any) -> bool:
    if limit is None or name == _PATTERN:
        return bool(limit == bound)
    if name in _AT_LEAST:
        return bool(limit >= bound)
    return bool(limit <= bound)


def _was(where: str, name: str, before: Json, after: Json) -> str:
    return f"{where}: {name} was {before.get(name)!r}, is {after.get(name)!r}"
