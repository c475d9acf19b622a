"""The bounds of values in the document, where their schemas declare none.

A pattern may say how long a text is. What is answered is bounded by what the service stores. All
else that is sent declares its bounds, which are enforced.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from app.framework.http.schemas.bases import PAGE_MAX

TEXT_MAX = 64 * 1024
"""As long as the body of a request: all texts came in one, or are the service's own sentences."""

ITEMS_MAX = 16 * 1024 * 1024
"""As many as a document of a view has bytes at most, in MongoDB."""

_INT64 = 2**63
_SAMPLES = ("examples", "example", "default")
_BOUNDS_OF_TEXTS = {"maxLength", "enum", "const"}
_LENGTH = re.compile(r"\^\[(?:[^\]\\]|\\.)+\]\{\d+,(\d+)\}\$")


def bound_by_patterns(part: Any) -> None:
    """Add `maxLength` where a pattern is of one class of characters, so many times."""
    for each in _schemas(part):
        found = _LENGTH.fullmatch(str(each.get("pattern", "")))
        if found:
            each.setdefault("maxLength", int(found[1]))


def bound_answers(schemas: Mapping[str, Any], sent: Collection[str]) -> None:
    """Add bounds to `schemas`, without those of the names `sent`, which are of requests."""
    answered = {name: each for name, each in schemas.items() if name not in sent}
    for page in answered.values():
        if "next_cursor" in page.get("properties", ()):
            page["properties"]["items"].setdefault("maxItems", PAGE_MAX)
    for each in _schemas(list(answered.values())):
        match each.get("type"):
            case "string" if not each.keys() & _BOUNDS_OF_TEXTS:
                each["maxLength"] = TEXT_MAX
            case "array":
                each.setdefault("maxItems", ITEMS_MAX)
            case "integer":
                each.setdefault("minimum", -_INT64)
                each.setdefault("maximum", _INT64 - 1)


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    """All objects in `part` of a document that may be schemas, without samples of values."""
    if isinstance(part, list):
        for each in part:
            yield from _schemas(each)
    elif isinstance(part, dict):
        yield part
        for name, each in part.items():
            if name == "properties":
                yield from _schemas(list(each.values()))
            elif name not in _SAMPLES:
                yield from _schemas(each)
