"""The bounds of texts and integers in answers, where their schemas declare none.

What is sent has bounds of its own, which are enforced.
"""

from collections.abc import Collection, Mapping
from typing import Any

TEXT_MAX = 64 * 1024
"""As long as the body of a request: all texts came in one, or are the service's own sentences."""

_INT64 = 2**63
_SAMPLES = ("examples", "example", "default")
_BOUNDS_OF_TEXTS = {"maxLength", "enum", "const"}


def bound_answers(schemas: Mapping[str, Any], sent: Collection[str]) -> None:
    """Add bounds to `schemas`, without those of the names `sent`, which are of requests."""
    for name, schema in schemas.items():
        if name not in sent:
            _bound(schema)


def _bound(part: Any) -> None:
    if isinstance(part, list):
        for each in part:
            _bound(each)
    elif isinstance(part, dict):
        if part.get("type") == "string" and not part.keys() & _BOUNDS_OF_TEXTS:
            part["maxLength"] = TEXT_MAX
        elif part.get("type") == "integer":
            part.setdefault("minimum", -_INT64)
            part.setdefault("maximum", _INT64 - 1)
        for name, each in part.items():
            if name == "properties":
                _bound(list(each.values()))
            elif name not in _SAMPLES:
                _bound(each)
