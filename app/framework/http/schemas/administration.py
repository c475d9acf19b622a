"""Projections and their builds on the wire, as operators see them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue
from pydantic.config import JsonDict
from typing_extensions import TypeAliasType

from app.framework.http.examples import GENERIC
from app.framework.http.schemas.bases import VERSION_MAX, RequestBody, ResponseBody, Timestamp
from app.framework.projections import BuildState, ProjectionState

# What clients call their constants for the values, in the same sequence.
_REQUESTED_NAMES: list[JsonValue] = ["WHEN_EQUAL", "ON_REQUEST"]
_NAMES: list[JsonValue] = ["WHEN_CAUGHT_UP", *_REQUESTED_NAMES]

# Aliases of this kind give the schemas their names.
RequestedTakeOver = TypeAliasType(
    "RequestedTakeOver",
    Annotated[
        Literal["when-equal", "on-request"],
        Field(
            description="When a build begins to serve: once it was compared with the serving one "
            "and no document differs, or when an operator lets it.",
            examples=["when-equal"],
            json_schema_extra={"x-enum-varnames": _REQUESTED_NAMES},
        ),
    ],
)

BuildTakeOver = TypeAliasType(
    "BuildTakeOver",
    Annotated[
        Literal["when-caught-up", "when-equal", "on-request"],
        Field(
            description="When a build begins to serve: as `RequestedTakeOver`, or, if it is the "
            "first of its version, once it has caught up.",
            examples=["when-equal"],
            json_schema_extra={"x-enum-varnames": _NAMES},
        ),
    ],
)

_COMPARISON: JsonDict = {"compared": 20000, "differing": 1, "keys": ["01977c2a"]}

_BUILD: JsonDict = {
    "projection": GENERIC.projection,
    "number": 2,
    "version": 1,
    "collection": f"{GENERIC.projection}_v1_b2",
    "state": "ready",
    "serves": False,
    "activity": "retrying",
    "position": 120441,
    "head": 120447,
    "lag": 6,
    "rate": 310.5,
    "seconds_left": 0.1,
    "holder": "projector-7f9c:1:3b1f09d2",
    "held_since": "2026-03-14T08:00:12.120381Z",
    "seen_at": "2026-03-14T09:26:53.589793Z",
    "take_over": "when-equal",
    "comparison": _COMPARISON,
    "parked": 1,
    "replaying": 0,
    "last_error": "StorageUnavailable: MongoDB is unavailable: it cannot be reached",
}

_PROJECTION: JsonDict = {
    "name": GENERIC.projection,
    "paused": False,
    "serving": 1,
    "activity": "retrying",
    "position": 120441,
    "head": 120447,
    "lag": 6,
    "parked": 1,
    "last_error": "StorageUnavailable: MongoDB is unavailable: it cannot be reached",
    "builds": [_BUILD],
}

_Position = Annotated[
    int | None,
    Field(description="Of the last event whose effect is stored; null when not known."),
]
_Head = Annotated[
    int | None, Field(description="Of the last event of the log; null when not known.")
]
_Lag = Annotated[
    int | None, Field(description="How many events are still to apply; null when not known.")
]
_ParkedCount = Annotated[
    int,
    Field(
        ge=0, description="How many documents are parked, as an event of theirs was not applied."
    ),
]
_LastError = Annotated[
    str | None, Field(description="Why it is retrying or stopped; null when it is running.")
]


class BuildRequest(RequestBody):
    """A rebuild of a projection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"take_over": "when-equal"}]})

    take_over: RequestedTakeOver = "when-equal"


class BuildComparison(ResponseBody):
    """How a build compared with the one that served, when it had caught up."""

    model_config = ConfigDict(json_schema_extra={"examples": [_COMPARISON]})

    compared: Annotated[int, Field(ge=0, description="How many keys either has.")]
    differing: Annotated[int, Field(ge=0, description="How many of them differ.")]
    keys: Annotated[list[str], Field(max_length=100, description="The first of those that differ.")]


class ProjectionBuild(ResponseBody):
    """A build of a projection: the documents that one version of it makes of the log."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BUILD]})

    projection: Annotated[str, Field(examples=[GENERIC.projection])]
    number: Annotated[int, Field(ge=1, le=VERSION_MAX, description="Counts a projection's builds.")]
    version: Annotated[
        int, Field(ge=1, le=VERSION_MAX, description="The version of the projection.")
    ]
    collection: Annotated[str, Field(description="Where its documents are.")]
    state: BuildState
    serves: Annotated[bool, Field(description="Whether queries read it.")]
    activity: ProjectionState
    position: _Position
    head: _Head
    lag: _Lag
    rate: Annotated[
        float | None,
        Field(description="Events a second of late; null when no process works on it."),
    ]
    seconds_left: Annotated[
        float | None,
        Field(description="Until it reaches the head at this rate; null when not known."),
    ]
    holder: Annotated[
        str | None, Field(description="The process that works on it; null when none does.")
    ]
    held_since: Annotated[
        Timestamp | None, Field(description="When that process began to; null when none does.")
    ]
    seen_at: Annotated[
        Timestamp | None, Field(description="When a process last worked on it; null when none has.")
    ]
    take_over: BuildTakeOver
    comparison: Annotated[BuildComparison | None, Field(description="Null until it was compared.")]
    parked: _ParkedCount
    replaying: Annotated[int, Field(ge=0, description="How many of those are to be replayed.")]
    last_error: _LastError


class Projection(ResponseBody):
    """A projection and its builds, without those that were retired."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROJECTION]})

    name: Annotated[str, Field(examples=[GENERIC.projection])]
    paused: Annotated[bool, Field(description="Whether an operator paused it.")]
    serving: Annotated[
        int | None,
        Field(
            description="The number of the build that queries read, which the next members are "
            "of; null when none serves."
        ),
    ]
    activity: ProjectionState
    position: _Position
    head: _Head
    lag: _Lag
    parked: _ParkedCount
    last_error: _LastError
    builds: list[ProjectionBuild]


class ProjectionList(ResponseBody):
    """Every projection, by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_PROJECTION]}]})

    items: list[Projection]
