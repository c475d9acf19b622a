"""What happens to users, on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.schemas.bases import VERSION_MAX, ResponseBody, Timestamp

USER_CHANGE: JsonDict = {
    "position": 1047,
    "user_id": "user123",
    "version": 2,
    "type": "UserNameChanged",
    "occurred_at": "2026-03-15T16:18:03.398000Z",
    "actor": None,
    "data": {"name": "Alice Wonderland"},
}


class UserChange(ResponseBody):
    """One thing that happened to a user: the data of an event of the stream."""

    model_config = ConfigDict(json_schema_extra={"examples": [USER_CHANGE]})

    position: Annotated[
        int, Field(ge=1, description="Its place among all that happened; the event's `id`, too.")
    ]
    user_id: Annotated[str, Field(examples=["user123"])]
    version: Annotated[
        int, Field(ge=1, le=VERSION_MAX, description="The user's version from then on.")
    ]
    type: Annotated[
        str,
        Field(
            description="What happened; later editions may add kinds.",
            examples=["UserRegistered", "UserNameChanged"],
        ),
    ]
    occurred_at: Timestamp
    actor: Annotated[str | None, Field(description="Who did it, where that is known.")]
    data: Annotated[
        dict[str, Any],
        Field(description="The new values.", examples=[{"name": "Alice Wonderland"}]),
    ]
