"""Builds in MongoDB: which there are, which serves, and who works on each.

The collection `projections` has a document for each projection, under its name, and one for each
build, under its id:

- of a projection: `builds` (in order, each with its id and version), `build` (the id of the serving
  one), `serves` (its version, which older versions of the service go by), `served`, `retired`
  and
  `dropped` (ids), `yielded`, `paused`, `switched_at`.
- of a build: its checkpoint with the status, `phase`, and its lease: `holder`, `epoch`,
  `held_since`. The lease lasts for LEASE_SECONDS after `seen_at`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pymongo import ReturnDocument, UpdateOne

from app.adapters.batcher import Batcher
from app.adapters.mongo.client import Client, answering
from app.framework.projections import (
    LEASE_SECONDS,
    Build,
    BuildRecord,
    BuildState,
    Comparison,
    Lease,
    LeaseLost,
    Projection,
    ProjectionRecord,
    ProjectionState,
    ProjectionStatus,
    TakeOver,
    projection_id,
)

COLLECTION = "projections"

_Found = Mapping[str, Any]

_Save = tuple[Lease, dict[str, Any], dict[str, Any]]
"""A lease, the filter that finds its checkpoint, and the update."""

_SILENT: dict[str, Any] = {"$lt": ["$seen_at", {"$subtract": ["$$NOW", int(LEASE_SECONDS * 1000)]}]}
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
)

_READ: dict[str, Any] = {
    **dict.fromkeys((*_OF_PROJECTIONS, *_OF_BUILDS), 1),
    "now": "$$NOW",
    "is_silent": _SILENT,
}


class Builds:
    """Implements BuildStore, and raises errors of the driver."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._saves = Batcher[_Save, None](
            "checkpoints", self._save, storage="MongoDB", largest=1_000, max_queued=10_000
        )

    async def close(self) -> None:
        await self._saves.close()

    async def projections(self) -> Sequence[ProjectionRecord]:
        found = await self._collection.find({}, _READ).sort([("_id", 1)]).to_list(None)
        builds = {each["_id"]: each for each in found if "version" in each}
        return [_projection(each, builds) for each in found if "serves" in each]

    async def begin(
        self, projection: Projection, *, take_over: TakeOver, known: int, key: str | None = None
    ) -> str | None:
        name, version = projection.name, projection.version
        builds = (await self._modernise(name)).get("builds", [])
        for each in builds:
            if key is not None and each.get("key") == key:
                return str(each["id"])
        build_id = projection_id(name, version)
        if any(each["id"] == build_id for each in builds):
            build_id += f"_b{known + 1}"
        build = {"id": build_id, "version": version, "take_over": take_over.value}
        if key is not None:
            build["key"] = key
        if known == 0:
            first = {"serves": version, "build": build_id, "builds": [build]}
            begun = await self._collection.update_one(
                {"_id": name}, {"$setOnInsert": first}, upsert=True
            )
            return build_id if begun.upserted_id is not None else None
        pushed = await self._collection.update_one(
            {"_id": name, "builds": {"$size": known}}, {"$push": {"builds": build}}
        )
        return build_id if pushed.matched_count else None

    async def acquire(self, build: Build, holder: str) -> Lease | None:
        first = ProjectionStatus.at_the_beginning(build.projection)
        made = {**fields(first), "phase": BuildState.BUILDING.value, "epoch": 0}
        await self._collection.update_one({"_id": build.id}, {"$setOnInsert": made}, upsert=True)
        free = [
            {"holder": holder},
            {"holder": None, "epoch": {"$exists": True}},
            {"$expr": _SILENT},
        ]
        found = await self._collection.find_one_and_update(
            {"_id": build.id, "$or": free},
            {
                "$set": {"holder": holder},
                "$inc": {"epoch": 1},
                "$currentDate": {"held_since": True, "seen_at": True},
            },
            return_document=ReturnDocument.AFTER,
        )
        if found is None:
            return None
        return Lease(build.id, holder, found["epoch"], found["position"])

    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        await self._collection.bulk_write(
            [UpdateOne(_held(each), {"$currentDate": {"seen_at": True}}) for each in leases],
            ordered=False,
        )
        return await self._lost(leases)

    async def release(self, lease: Lease) -> None:
        await self._collection.update_one(
            _held(lease), {"$set": {"holder": None}, "$unset": {"held_since": True}}
        )

    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int = 0,
        rate: float | None = None,
    ) -> None:
        """Like `BuildStore.save`; saves at the same time go out together."""
        saved = fields(status)
        growing = {
            name: value for name in ("position", "head") if (value := saved.pop(name)) is not None
        }
        update: dict[str, Any] = {
            "$set": {**saved, "rate": rate},
            "$max": growing,
            "$currentDate": {"seen_at": True},
        }
        await self._saves.submit((lease, {**_held(lease), "position": {"$gte": after}}, update))

    async def note(self, lease: Lease, **changes: Any) -> None:
        noted = await self._collection.update_one(_held(lease), {"$set": _stored(changes)})
        if not noted.matched_count:
            raise LeaseLost(lease.build)

    async def switch(
        self, name: str, *, serving: str | None, to: str, yields: bool = False
    ) -> bool:
        builds = (await self._modernise(name)).get("builds", ())
        versions = {each["id"]: each["version"] for each in builds}
        if to not in versions:
            return False
        switched = await self._collection.update_one(
            {"_id": name, "build": serving, "retired": {"$ne": to}},
            {
                "$set": {
                    "build": to,
                    "serves": versions[to],
                    "yielded": serving if yields else None,
                },
                "$addToSet": {"served": {"$each": [serving, to]}},
                "$currentDate": {"switched_at": True},
            },
        )
        return bool(switched.matched_count)

    async def pause(self, name: str, *, paused: bool) -> bool:
        done = await self._collection.update_one(
            {"_id": name, "serves": {"$exists": True}}, {"$set": {"paused": paused}}
        )
        return bool(done.matched_count)

    async def retire(self, name: str, build: str) -> bool:
        await self._modernise(name)
        retired = await self._collection.update_one(
            {"_id": name, "build": {"$ne": build}, "builds.id": build},
            {"$addToSet": {"retired": build}, "$pull": {"served": build}},
        )
        return bool(retired.matched_count)

    async def drop(self, name: str, build: str) -> None:
        await self._client.primary(build).drop()
        await self._collection.update_one({"_id": name}, {"$addToSet": {"dropped": build}})

    @property
    def _collection(self) -> Any:
        return self._client.primary(COLLECTION)

    async def _modernise(self, name: str) -> _Found:
        """The document of a projection, once what older versions leave out is added to it."""
        found = await self._collection.find_one({"_id": name})
        if found is None:
            return {}
        stored = await self._collection.find({"name": name}).to_list(None)
        builds, serving = _listed(found, stored), _serving(found)
        if found.get("build") == serving and found.get("builds") == builds:
            return dict(found)
        await self._collection.update_one(
            {"_id": name, "serves": found["serves"], "builds": found.get("builds")},
            {"$set": {"build": serving, "builds": builds}},
        )
        return {**found, "build": serving, "builds": builds}

    async def _save(self, saves: Sequence[_Save]) -> Sequence[Exception | None]:
        async with answering():
            saved = await self._collection.bulk_write(
                [UpdateOne(checkpoint, update) for _, checkpoint, update in saves], ordered=False
            )
            if saved.matched_count == len(saves):
                return [None] * len(saves)
            return [await self._refusal(lease, checkpoint) for lease, checkpoint, _ in saves]

    async def _refusal(self, lease: Lease, checkpoint: dict[str, Any]) -> Exception | None:
        found = await self._collection.find_one(checkpoint, {"_id": 1})
        return None if found else LeaseLost(lease.build)

    async def _lost(self, leases: Collection[Lease]) -> Collection[Lease]:
        epochs = {
            each["_id"]: each.get("epoch")
            for each in await self._collection.find(
                {"_id": {"$in": [each.build for each in leases]}}, {"epoch": 1}
            ).to_list(None)
        }
        return [each for each in leases if epochs.get(each.build) != each.epoch]


def _held(lease: Lease) -> dict[str, Any]:
    return {"_id": lease.build, "epoch": lease.epoch}


def fields(status: ProjectionStatus) -> dict[str, Any]:
    """The stored fields of `status`, without `seen_at`: MongoDB's clock sets it."""
    names = (each for each in ProjectionStatus.__match_args__ if each != "seen_at")
    return {name: getattr(status, name) for name in names}


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    stored = dict(changes)
    if "state" in stored:
        stored["phase"] = stored.pop("state").value
    if isinstance(comparison := stored.get("comparison"), Comparison):
        stored["comparison"] = {
            "compared": comparison.compared,
            "differing": comparison.differing,
            "keys": list(comparison.keys),
        }
    return stored


def serving_build(found: _Found) -> str:
    """The id of the serving build, by the document of a projection."""
    return _serving(found)


def _serving(found: _Found) -> str:
    name, version = found["_id"], found["serves"]
    build = found.get("build")
    # An older version of the service knows no builds, and may have changed `serves` alone.
    is_current = build is not None and any(
        each["id"] == build and each["version"] == version for each in found.get("builds", ())
    )
    return str(build) if is_current else projection_id(name, version)


def _listed(found: _Found, stored: Sequence[_Found]) -> list[_Found]:
    """The builds of a projection in order, with those that older versions began."""
    listed = list(found.get("builds", ()))
    ids = {each["id"] for each in listed}
    others = [each for each in stored if each["_id"] not in ids]
    return listed + [
        {"id": each["_id"], "version": each["version"]}
        for each in sorted(others, key=lambda each: each["version"])
    ]


def _projection(found: _Found, builds: Mapping[str, _Found]) -> ProjectionRecord:
    name, serving = found["_id"], _serving(found)
    listed = _listed(found, [each for each in builds.values() if each["name"] == name])
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
        switched_seconds=(found["now"] - switched).total_seconds() if switched else None,
    )


def _build(
    name: str, number: int, listed: _Found, stored: _Found, projection: _Found, serving: str
) -> BuildRecord:
    build_id = listed["id"]
    # One that was begun, and on which no process has worked yet, has no document.
    is_silent = stored.get("is_silent", True)
    is_released = "epoch" in stored and stored.get("holder") is None
    comparison = stored.get("comparison")
    return BuildRecord(
        id=build_id,
        name=name,
        version=listed["version"],
        number=number,
        state=_state(build_id, stored, projection, serving),
        status=_status(name, listed, stored),
        take_over=TakeOver(listed.get("take_over", TakeOver.WHEN_CAUGHT_UP)),
        has_caught_up=stored.get("has_caught_up", "epoch" not in stored and bool(stored)),
        epoch=stored.get("epoch", 0),
        holder=None if is_silent else stored.get("holder"),
        held_since=None if is_silent or is_released else stored.get("held_since"),
        is_free=is_silent or is_released,
        rate=stored.get("rate"),
        silent_seconds=(projection["now"] - stored["seen_at"]).total_seconds()
        if "seen_at" in stored
        else 0.0,
        comparison=Comparison(**comparison) if comparison else None,
        is_dropped=build_id in projection.get("dropped", ()),
    )


def _state(build_id: str, stored: _Found, projection: _Found, serving: str) -> BuildState:
    if build_id in projection.get("retired", ()):
        return BuildState.RETIRED
    if build_id == serving:
        return BuildState.SERVING
    # A build of an older version of the service has no phase; it has served, or was about to.
    if build_id in projection.get("served", ()) or (stored and "phase" not in stored):
        return BuildState.KEPT
    return BuildState(stored.get("phase", BuildState.BUILDING))


def _status(name: str, listed: _Found, stored: _Found) -> ProjectionStatus:
    return ProjectionStatus(
        name=name,
        version=listed["version"],
        position=stored.get("position", 0),
        head=stored.get("head"),
        state=ProjectionState(stored.get("state", ProjectionState.RUNNING)),
        error=stored.get("error"),
        seen_at=stored.get("seen_at"),
    )
