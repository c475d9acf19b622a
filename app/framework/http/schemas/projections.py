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
    "build": 1,
    "serves": True,
    "holder": "projector-7f9c:1:3b1f09d2",
    "held_since": "2026-03-14T08:00:12.120381Z",
}


class ProjectionStatus(ResponseBody):
    """How far a build of a projection is behind the log."""

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
    build: Annotated[int, Field(ge=1, le=VERSION_MAX, description="Counts a projection's builds.")]
    serves: Annotated[bool, Field(description="Whether queries read this build.")]
    holder: Annotated[
        str | None, Field(description="The process that works on it; null when none does.")
    ]
    held_since: Annotated[
        Timestamp | None, Field(description="When that process began to; null when none does.")
    ]


class ProjectionStatusList(ResponseBody):
    """Every build of every projection, without those that were retired."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_STATUS]}]})

    items: list[ProjectionStatus]
