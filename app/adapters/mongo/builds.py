"""Builds in MongoDB: which there are, which serves, and who works on each.

The collection `projections` has a document for each projection, under its name, and one for each
build, under its id:

- of a projection: `builds` (in order, each with its id and version), `build` (the id of the serving
  one), `serves` (its version, which older versions of the service go by), `served`, `retired` and
  `dropped` (ids), `yielded`, `paused`, `switches`, `switched_at`.
- of a build: its checkpoint with the status, `changes` and `repaired_at` (see `changed_keys`),
  `mark`, `rate`, `parked`, `replay` (keys), `phase`, `has_caught_up`, `comparison`, `condemned`,
  `documents` (the UUID of their collection), `is_dropped`, and its lease: `holder`, `epoch`,
  `held_since`. The lease lasts for LEASE_SECONDS after `seen_at`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pymongo import ReturnDocument, UpdateOne

from app.adapters.mongo.build_records import (
    IS_SILENT,
    READ,
    Found,
    listed_builds,
    parked_documents,
    projection_record,
    serving_build,
)
from app.adapters.mongo.client import Client, answering
from app.adapters.mongo.saves import Saves, fields, held
from app.framework.projections import (
    Build,
    BuildState,
    Comparison,
    Lease,
    LeaseLost,
    Parked,
    Projection,
    ProjectionRecord,
    ProjectionStatus,
    TakeOver,
    projection_id,
)

COLLECTION = "projections"


class MongoBuilds:
    """Implements BuildStore."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._saves = Saves(lambda: client.primary(COLLECTION))

    async def close(self) -> None:
        await self._saves.close()

    @answering()
    async def projections(self) -> Sequence[ProjectionRecord]:
        found = await self._collection.find({}, READ).sort([("_id", 1)]).to_list(None)
        builds = {each["_id"]: each for each in found if "version" in each}
        return [projection_record(each, builds) for each in found if "serves" in each]

    @answering()
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

    @answering()
    async def acquire(self, build: Build, holder: str) -> Lease | None:
        first = ProjectionStatus.at_the_beginning(build.projection)
        made = {**fields(first), "phase": BuildState.BUILDING.value, "epoch": 0}
        await self._collection.update_one({"_id": build.id}, {"$setOnInsert": made}, upsert=True)
        free = [
            {"holder": holder},
            {"holder": None, "epoch": {"$exists": True}},
            {"$expr": IS_SILENT},
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
        return Lease(
            build.id,
            holder,
            found["epoch"],
            found["position"],
            parked_documents(found),
            found.get("mark"),
            found.get("documents"),
        )

    @answering()
    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        await self._collection.bulk_write(
            [UpdateOne(held(each), {"$currentDate": {"seen_at": True}}) for each in leases],
            ordered=False,
        )
        return await self._lost(leases)

    @answering()
    async def release(self, lease: Lease) -> None:
        await self._collection.update_one(
            held(lease),
            {
                "$set": {"holder": None},
                "$unset": {"held_since": True},
                "$currentDate": {"seen_at": True},
            },
        )

    @answering()
    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int = 0,
        rate: float | None = None,
        mark: str | None = None,
        parked: Sequence[Parked] | None = None,
        replayed: Collection[str] = (),
        changed: Collection[str] = (),
    ) -> None:
        """Like `BuildStore.save`; saves at the same time go out together."""
        await self._saves.save(
            lease,
            status,
            after=after,
            rate=rate,
            mark=mark,
            parked=parked,
            replayed=replayed,
            changed=changed,
        )

    @answering()
    async def ask_to_replay(self, build: str, keys: Collection[str]) -> None:
        await self._collection.update_one(
            {"_id": build}, {"$addToSet": {"replay": {"$each": list(keys)}}}
        )

    @answering()
    async def note(self, lease: Lease, **changes: Any) -> None:
        noted = await self._collection.update_one(held(lease), {"$set": _stored(changes)})
        if not noted.matched_count:
            raise LeaseLost(lease.build)

    @answering()
    async def switch(
        self,
        name: str,
        *,
        serving: str | None,
        to: str,
        switches: int | None = None,
        yields: bool = False,
    ) -> bool:
        builds = (await self._modernise(name)).get("builds", ())
        versions = {each["id"]: each["version"] for each in builds}
        if to not in versions:
            return False
        replaced: dict[str, Any] = {"_id": name, "build": serving, "retired": {"$ne": to}}
        if switches is not None:
            replaced["switches"] = switches or {"$in": [0, None]}
        switched = await self._collection.update_one(
            replaced,
            {
                "$set": {
                    "build": to,
                    "serves": versions[to],
                    "yielded": serving if yields else None,
                },
                "$addToSet": {"served": {"$each": [serving, to]}},
                "$inc": {"switches": 1},
                "$currentDate": {"switched_at": True},
            },
        )
        return bool(switched.matched_count)

    @answering()
    async def pause(self, name: str, *, paused: bool) -> bool:
        done = await self._collection.update_one(
            {"_id": name, "serves": {"$exists": True}}, {"$set": {"paused": paused}}
        )
        return bool(done.matched_count)

    @answering()
    async def retire(self, name: str, build: str) -> bool:
        await self._modernise(name)
        retired = await self._collection.update_one(
            {"_id": name, "build": {"$ne": build}, "builds.id": build},
            {"$addToSet": {"retired": build}, "$pull": {"served": build}},
        )
        return bool(retired.matched_count)

    @answering()
    async def drop(self, name: str, build: str) -> None:
        await self._client.primary(build).drop()
        await self._collection.update_one({"_id": build}, {"$set": {"is_dropped": True}})
        await self._collection.update_one({"_id": name}, {"$addToSet": {"dropped": build}})

    async def _note_repair(self, build: str) -> None:
        """Note that documents of a build are about to be changed by no save of a checkpoint."""
        await self._collection.update_one({"_id": build}, {"$currentDate": {"repaired_at": True}})

    @property
    def _collection(self) -> Any:
        return self._client.primary(COLLECTION)

    async def _modernise(self, name: str) -> Found:
        """The document of a projection, once what older versions leave out is added to it."""
        found = await self._collection.find_one({"_id": name})
        if found is None:
            return {}
        stored = await self._collection.find({"name": name}).to_list(None)
        builds, serving = listed_builds(found, stored), serving_build(found)
        if found.get("build") == serving and found.get("builds") == builds:
            return dict(found)
        await self._collection.update_one(
            {"_id": name, "serves": found["serves"], "builds": found.get("builds")},
            {"$set": {"build": serving, "builds": builds}},
        )
        return {**found, "build": serving, "builds": builds}

    async def _lost(self, leases: Collection[Lease]) -> Collection[Lease]:
        epochs = {
            each["_id"]: each.get("epoch")
            for each in await self._collection.find(
                {"_id": {"$in": [each.build for each in leases]}}, {"epoch": 1}
            ).to_list(None)
        }
        return [each for each in leases if epochs.get(each.build) != each.epoch]


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    stored = dict(changes)
    if "state" in stored:
        stored["phase"] = stored.pop("state").value
    if isinstance(comparison := stored.get("comparison"), Comparison):
        stored["comparison"] = asdict(comparison)
    return stored
