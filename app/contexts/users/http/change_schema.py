"""What happens to users, on the wire."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.contexts.users.http.event_fields import Actor, EventData, EventType, VersionAfter
from app.framework.http.schemas.bases import ResponseBody, Timestamp

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
    version: VersionAfter
    type: EventType
    occurred_at: Timestamp
    actor: Actor
    data: EventData
