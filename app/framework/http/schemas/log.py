"""Events of the log on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.consistency import LAST_POSITION
from app.framework.http.examples import GENERIC
from app.framework.http.schemas.bases import (
    EXAMPLE_CURSOR,
    VERSION_MAX,
    NextCursor,
    ResponseBody,
    Timestamp,
)

_METADATA: JsonDict = {
    "correlation_id": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11",
    "causation_id": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a12",
    "actor": "alice",
}

_EVENT: JsonDict = {
    "position": 1047,
    "stream_id": GENERIC.stream_id,
    "version": 3,
    "type": GENERIC.event_type,
    "schema_version": 1,
    "recorded_at": "2026-03-14T09:26:53.589793Z",
    "data": {"name": "Alice Smith"},
    "metadata": _METADATA,
}


class EventMetadata(ResponseBody):
    """Where an event comes from."""

    model_config = ConfigDict(json_schema_extra={"examples": [_METADATA]})

    correlation_id: Annotated[
        str | None, Field(description="The id of the request that led to it; null when not known.")
    ]
    causation_id: Annotated[
        str | None,
        Field(description="The id of the command that recorded it; null when not known."),
    ]
    actor: Annotated[str | None, Field(description="Who sent the command; null when not known.")]


class LoggedEvent(ResponseBody):
    """An event as it stands in the log, in the current form of its type."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EVENT]})

    position: Annotated[int, Field(ge=1, le=LAST_POSITION, description="Its place in the log.")]
    stream_id: Annotated[str, Field(description="The type of its aggregate, `-`, and the id.")]
    version: Annotated[int, Field(ge=1, le=VERSION_MAX, description="Its place in its stream.")]
    type: Annotated[str, Field(description="The type of the event.")]
    schema_version: Annotated[
        int, Field(ge=1, le=VERSION_MAX, description="The version of the form of `data`.")
    ]
    recorded_at: Timestamp
    data: Annotated[dict[str, Any], Field(description="The fields of the event.")]
    metadata: EventMetadata


class LoggedEventPage(ResponseBody):
    """A page of events, in order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_EVENT], "next_cursor": EXAMPLE_CURSOR}]}
    )

    items: list[LoggedEvent]
    next_cursor: NextCursor
