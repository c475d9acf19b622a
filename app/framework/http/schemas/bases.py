"""What wire schemas have in common."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.framework.eventsourcing.store import LAST_VERSION
from app.framework.http.validation import LISTED

_MEMBERS = 100
"""More than any body declares; a body with more has undeclared members."""


class RequestBody(BaseModel):
    """A body that a client sends: a member that is not declared is refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_members(cls, given: Any) -> Any:
        # Each undeclared member makes an error; of thousands, the first ones are enough.
        if not isinstance(given, dict) or len(given) <= _MEMBERS:
            return given
        unknown = [name for name in given if name not in cls.model_fields]
        passed_over = frozenset(unknown[LISTED + 1 :])
        return {name: each for name, each in given.items() if name not in passed_over}


class ResponseBody(BaseModel):
    """A body that the service answers with; later versions may add members."""

    model_config = ConfigDict(from_attributes=True)


PAGE_MAX = 200
"""The bound of the items of a page."""

VERSION_MAX = LAST_VERSION
"""The bound of versions in schemas."""

EXAMPLE_CURSOR = "WyI1ZjE2ODU0YjY1YTIiLDAsImFsaWNlIHNtaXRoIiwidXNlcjEyMyJd"

CURSOR_MAX = 4096
"""The bound of cursors, in characters."""

NextCursor = Annotated[
    Annotated[str, Field(json_schema_extra={"maxLength": CURSOR_MAX})] | None,
    Field(
        description="Send it as `cursor`, with the same filters and order, for the page after "
        "this one; null on the last page.",
        examples=[EXAMPLE_CURSOR],
    ),
]

Timestamp = Annotated[
    AwareDatetime,
    Field(
        description="RFC 3339, in UTC.",
        examples=["2026-03-14T09:26:53.589793Z"],
        json_schema_extra={"maxLength": 64},
    ),
]
