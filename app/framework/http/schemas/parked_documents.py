"""Parked documents on the wire."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.examples import GENERIC
from app.framework.http.schemas.bases import VERSION_MAX, ResponseBody, Timestamp

_PARKED: JsonDict = {
    "key": "01977c2a",
    "position": 120441,
    "error": "The event ThingRenamed at position 120441 cannot be applied. KeyError: 'name'",
    "since": "2026-03-14T09:26:53.589793Z",
    "waiting": 3,
    "is_replaying": False,
}

_LIST: JsonDict = {"projection": GENERIC.projection, "build": 1, "items": [_PARKED]}


class ParkedDocument(ResponseBody):
    """A parked document: it stays as it was before an event that could not be applied."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PARKED]})

    key: Annotated[str, Field(description="Of the document.")]
    position: Annotated[int, Field(ge=1, description="Of the event that could not be applied.")]
    error: Annotated[str, Field(description="Why it could not be applied.")]
    since: Annotated[Timestamp, Field(description="When it was parked.")]
    waiting: Annotated[
        int, Field(ge=1, description="How many of its events are not applied, with that one.")
    ]
    is_replaying: Annotated[bool, Field(description="Whether it is to be replayed, or is now.")]


class ParkedDocumentList(ResponseBody):
    """The parked documents of the build that serves, by position."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LIST]})

    projection: Annotated[str, Field(examples=[GENERIC.projection])]
    build: Annotated[
        int | None,
        Field(ge=1, le=VERSION_MAX, description="The number of the build; null if none serves."),
    ]
    items: list[ParkedDocument]
