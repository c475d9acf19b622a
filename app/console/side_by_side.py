"""Two states of a thing, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.console.formats import plain


@dataclass(frozen=True, slots=True)
class Row:
    """A field in two states; None where a state does not have it."""

    field: str
    left: str | None
    right: str | None

    @property
    def differs(self) -> bool:
        return self.left != self.right


def rows(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> Sequence[Row]:
    """The fields of both, in the order of the right one."""
    mine, others = left or {}, right or {}
    names = dict.fromkeys([*others, *mine])
    return [Row(each, _text(mine, each), _text(others, each)) for each in names]


def _text(state: Mapping[str, Any], field: str) -> str | None:
    return plain(state[field]) if field in state else None
