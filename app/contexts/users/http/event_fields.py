"""The fields of an event on the wire, in the history and in the stream of changes."""

from typing import Annotated, Any

from pydantic import Field

from app.framework.http.schemas.bases import VERSION_MAX

VersionAfter = Annotated[
    int, Field(ge=1, le=VERSION_MAX, description="The user's version from then on.")
]

EventType = Annotated[
    str,
    Field(
        description="What happened; later editions may add kinds.",
        examples=["UserRegistered", "UserNameChanged"],
    ),
]

Actor = Annotated[str | None, Field(description="Who did it, where that is known.")]

EventData = Annotated[
    dict[str, Any],
    Field(description="The new values.", examples=[{"name": "Alice Wonderland"}]),
]
