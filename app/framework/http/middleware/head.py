"""The head of a request, as the steps of the edge read it."""

from collections.abc import Sequence

from starlette.types import Scope

from app.framework.http.operation_index import path_of


class Head:
    """The head of the request of `scope`.

    lines: its header lines, in their order.
    fields: its headers; of those that come several times the last line.
    path: without the prefix that a proxy strips.
    """

    __slots__ = ("fields", "lines", "path", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.lines: list[tuple[bytes, bytes]] = scope["headers"]
        self.fields = dict(self.lines)
        self.path = path_of(scope)

    @property
    def has_repeats(self) -> bool:
        """Whether a header comes several times."""
        return len(self.fields) < len(self.lines)

    def all_of(self, name: bytes) -> Sequence[bytes]:
        """The lines of a header."""
        if name not in self.fields:
            return ()
        return [value for each, value in self.lines if each == name]
