"""Builds as MongoDB stores them, read into records."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from app.framework.projections import (
    LEASE_SECONDS,
    BuildRecord,
    BuildState,
    Comparison,
    Condemned,
    Parked,
    ProjectionRecord,
    ProjectionState,
    ProjectionStatus,
    TakeOver,
    projection_id,
)

Found = Mapping[str, Any]
"""A document of the collection."""

StoredT = TypeVar("StoredT")

IS_SILENT: dict[str, Any] = {
    "$lt": ["$seen_at", {"$subtract": ["$$NOW", int(LEASE_SECONDS * 1000)]}]
}
"""By MongoDB's clock: that of a process may be wrong."""

_OF_PROJECTIONS = (
    "build",
    "builds",
    "serves",
    "served",
    "retired",
    "dropped",
    "yielded",
    "paused",
    "switches",
    "switched_at",
)

_OF_BUILDS = (
    *ProjectionStatus.__match_args__,
    "phase",
    "holder",
    "epoch",
    "held_since",
    "has_caught_up",
    "rate",
    "comparison",
    "parked",
    "replay",
    "condemned",
)

READ: dict[str, Any] = {
    **dict.fromkeys((*_OF_PROJECTIONS, *_OF_BUILDS), 1),
    "now": "$$NOW",
    "is_silent": IS_SILENT,
}


def serving_build(found: Found) -> str:
    """The id of the serving build, by the document of a projection."""
    name, version = found["_id"], found["serves"]
    build = found.get("build")
    # An older version of the service knows no builds, and may have changed `serves` alone.
    is_current = build is not None and any(
        each["id"] == build and each["version"] == version for each in found.get("builds", ())
    )
    return str(build) if is_current else projection_id(name, version)


def listed_builds(found: Found, stored: Sequence[Found]) -> list[Found]:
    """The builds of a projection in order, with those that older versions began."""
    listed = list(found.get("builds", ()))
    # The serving one is listed even if its checkpoint is lost.
    others = {serving_build(found): found["serves"]}
    others |= {each["_id"]: each["version"] for each in stored}
    for each in listed:
        others.pop(each["id"], None)
    return listed + [
        {"id": build_id, "version": version}
        for build_id, version in sorted(others.items(), key=lambda each: each[1])
    ]


def projection_record(found: Found, builds: Mapping[str, Found]) -> ProjectionRecord:
    name, serving = found["_id"], serving_build(found)
    listed = listed_builds(found, [each for each in builds.values() if each["name"] == name])
    switched = found.get("switched_at")
    return ProjectionRecord(
        name=name,
        builds=[
            _build(name, number, each, builds.get(each["id"], {}), found, serving)
            for number, each in enumerate(listed, 1)
        ],
        serving=serving,
        yielded=found.get("yielded"),
        paused=found.get("paused", False),
        switches=found.get("switches", 0),
        switched_seconds=(found["now"] - switched).total_seconds() if switched else None,
    )


def _build(
    name: str, number: int, listed: Found, stored: Found, projection: Found, serving: str
) -> BuildRecord:
    build_id = listed["id"]
    # One that was begun, and on which no process has worked yet, has no document.
    is_silent = stored.get("is_silent", True)
    is_released = "epoch" in stored and stored.get("holder") is None
    comparison = stored.get("comparison")
    state = _state(build_id, stored, projection, serving)
    return BuildRecord(
        id=build_id,
        name=name,
        version=listed["version"],
        number=number,
        state=state,
        status=_status(name, listed, stored),
        take_over=TakeOver(listed.get("take_over", TakeOver.WHEN_CAUGHT_UP)),
        has_caught_up=stored.get("has_caught_up", _had_caught_up(state, stored)),
        epoch=stored.get("epoch", 0),
        holder=None if is_silent else stored.get("holder"),
        held_since=None if is_silent or is_released else stored.get("held_since"),
        is_free=is_silent or is_released,
        is_released=is_released and bool(stored.get("epoch")),
        rate=stored.get("rate"),
        silent_seconds=(projection["now"] - stored["seen_at"]).total_seconds()
        if "seen_at" in stored
        else math.inf,
        comparison=known(Comparison, comparison) if comparison else None,
        parked=parked_documents(stored),
        replay=stored.get("replay", ()),
        condemned=Condemned(stored["condemned"]) if stored.get("condemned") else None,
        is_dropped=build_id in projection.get("dropped", ()),
        key=listed.get("key"),
    )


def parked_documents(stored: Found) -> Sequence[Parked]:
    """The parked documents of a build, by its own document."""
    return [known(Parked, each) for each in stored.get("parked", ())]


def known(kind: type[StoredT], stored: Found) -> StoredT:
    """A record of a dataclass, without the fields that newer versions of the service add."""
    names = (each.name for each in fields(kind))  # type: ignore[arg-type]
    return kind(**{name: stored[name] for name in names if name in stored})


def _had_caught_up(state: BuildState, stored: Found) -> bool:
    """Whether a build of an older version, which noted no such thing, had caught up."""
    # Acquiring it adds no phase to its document.
    return "phase" not in stored and bool(stored) and state in (BuildState.SERVING, BuildState.KEPT)


def _state(build_id: str, stored: Found, projection: Found, serving: str) -> BuildState:
    if build_id in projection.get("retired", ()):
        return BuildState.RETIRED
    if build_id == serving:
        return BuildState.SERVING
    if stored.get("condemned"):
        return BuildState.FAILED
    # A build of an older version of the service has no phase. It has served if it is older.
    has_served = "phase" not in stored and stored.get("version", 0) < projection["serves"]
    if build_id in projection.get("served", ()) or (stored and has_served):
        return BuildState.KEPT
    return BuildState(stored.get("phase", BuildState.BUILDING))


def _status(name: str, listed: Found, stored: Found) -> ProjectionStatus:
    return ProjectionStatus(
        name=name,
        version=listed["version"],
        position=stored.get("position", 0),
        head=stored.get("head"),
        state=ProjectionState(stored.get("state", ProjectionState.RUNNING)),
        error=stored.get("error"),
        seen_at=stored.get("seen_at"),
    )
