"""The state of the projections on the wire."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.examples import GENERIC
from app.framework.http.schemas.bases import VERSION_MAX, ResponseBody, Timestamp
from app.framework.projections import ProjectionState

_STATUS: JsonDict = {
    "name": GENERIC.projection,
    "version": 1,
    "position": 1041,
    "head": 1047,
    "lag": 6,
    "state": "retrying",
    "last_error": "StorageUnavailable: MongoDB is unavailable: it cannot be reached",
    "seen_at": "2026-03-14T09:26:53.589793Z",
}


class ProjectionStatus(ResponseBody):
    """How far a projection is behind the log."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STATUS]})

    name: Annotated[str, Field(examples=[GENERIC.projection])]
    version: Annotated[
        int, Field(ge=1, le=VERSION_MAX, description="Which edition of the projection.")
    ]
    position: Annotated[
        int | None,
        Field(description="Of the last event whose effect is stored; null when not known."),
    ]
    head: Annotated[
        int | None, Field(description="Of the last event as last seen; null when not known.")
    ]
    lag: Annotated[
        int | None, Field(description="How many events are still to apply; null when not known.")
    ]
    state: ProjectionState
    last_error: Annotated[
        str | None, Field(description="Why it is retrying or stopped; null when it is running.")
    ]
    seen_at: Annotated[
        Timestamp | None, Field(description="When a projector last said so; null when none has.")
    ]


class ProjectionStatusList(ResponseBody):
    """Every projection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_STATUS]}]})

    items: list[ProjectionStatus]
