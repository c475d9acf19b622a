"""The examples in schemas that all contexts share, such as that of a problem.

The schemas are declared with GENERIC. The OpenAPI document has what a context gives in its place,
so that its examples belong together.
"""

import re
from dataclasses import dataclass
from typing import Any

from app.framework.http.problems.kinds import ProblemType


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """One of each that shared schemas show.

    problem: a kind of problem of status 404.
    path: of a resource.
    path_parameter: a parameter of such paths, by its name.
    pointer: to a member of a body, as in an error of a request: `#/email`.
    detail: what may be wrong with that member.
    projection: the name of one.
    stream_id: of an aggregate.
    event_type: of an event of that.
    """

    problem: ProblemType
    path: str
    path_parameter: str
    pointer: str
    detail: str
    projection: str
    stream_id: str = "thing-thing123"
    event_type: str = "ThingRenamed"

    @property
    def texts(self) -> tuple[str, ...]:
        """All of it, as it stands in the document."""
        return (
            self.problem.code,
            self.problem.title,
            self.problem.example,
            self.problem.meaning,
            self.path,
            self.path_parameter,
            self.pointer,
            self.detail,
            self.projection,
            self.stream_id,
            self.event_type,
        )


GENERIC = Examples(
    problem=ProblemType(
        404,
        "thing-not-found",
        "Thing not found",
        example="Thing with ID thing123 not found.",
        meaning="No thing has the id.",
    ),
    path="/things/thing123",
    path_parameter="thing_id",
    pointer="#/thing",
    detail="A thing must have a name.",
    projection="thing_names",
)


def with_examples(part: Any, examples: Examples) -> Any:
    """`part` of a document with `examples` wherever it has those of GENERIC."""
    return _replaced(part, dict(zip(GENERIC.texts, examples.texts, strict=True)))


def _replaced(part: Any, texts: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: _replaced(each, texts) for name, each in part.items()}
    if isinstance(part, list):
        return [_replaced(each, texts) for each in part]
    if isinstance(part, str):
        return _GENERIC.sub(lambda found: texts[found[0]], part)
    return part


_GENERIC = re.compile("|".join(map(re.escape, GENERIC.texts)))
