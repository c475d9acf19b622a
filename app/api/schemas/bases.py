"""What wire schemas have in common."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class RequestBody(BaseModel):
    """A body that a client sends: a member that is not declared is refused."""

    model_config = ConfigDict(extra="forbid")


class ResponseBody(BaseModel):
    """A body that the service answers with; later editions may add members."""

    model_config = ConfigDict(from_attributes=True)


EXAMPLE_CURSOR = "WyI1ZjE2ODU0YjY1YTIiLDAsImFsaWNlIHNtaXRoIiwidXNlcjEyMyJd"

NextCursor = Annotated[
    str | None,
    Field(
        description="Send it as `cursor`, with the same filters and order, for the page after "
        "this one; null on the last page.",
        examples=[EXAMPLE_CURSOR],
    ),
]

Timestamp = Annotated[
    AwareDatetime,
    Field(description="RFC 3339, in UTC.", examples=["2026-03-14T09:26:53.589793Z"]),
]
