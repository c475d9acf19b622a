"""The collection of checkpoints, and of the version of each projection that serves.

A checkpoint is stored under the projection's id, the serving version under its name.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from app.adapters.batcher import Batcher
from app.adapters.mongo.client import Client, answering
from app.framework.projections import Projection, ProjectionState, ProjectionStatus, projection_id

_Save = tuple[str, ProjectionStatus]

COLLECTION = "projections"

LOG_COLLECTION = "log"
"""The collection with the identity of the log. No projection has this name: their collections
have the version in theirs."""

_IDENTITY = "identity"

_STATUS = {**dict.fromkeys(ProjectionStatus.__match_args__, 1), "now": "$$NOW"}
"""The fields of a checkpoint, and the time of MongoDB's clock: a process's clock may be wrong."""

KNOWN_SECONDS = 1.0
"""For how long a process caches the serving version and the positions."""


class Checkpoints:
    """Checkpoints, and the serving versions of projections."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._serving: dict[str, int] = {}
        self._known_until = 0.0
        self._look_ups = Batcher[str, int | None](
            "look-ups of projections",
            self._look_up,
            storage="MongoDB",
            largest=10_000,
            max_queued=10_000,
        )
        self._saves = Batcher[_Save, None](
            "checkpoints", self._save, storage="MongoDB", largest=1_000, max_queued=10_000
        )
        self._positions: Mapping[str, int] = {}
        self._positions_until = 0.0
        self._position_look_ups = Batcher[None, Mapping[str, int]](
            "look-ups of checkpoints",
            self._look_up_positions,
            storage="MongoDB",
            largest=10_000,
            max_queued=10_000,
        )

    async def prepare(self, projection: Projection) -> int:
        """Create the checkpoint if missing, and serve if no version does; return its position."""
        collection = self._client.primary(COLLECTION)
        this = {"_id": projection.id}
        first = ProjectionStatus.at_the_beginning(projection)
        made = {"$mergeObjects": [{"$literal": _fields(first)}, {"seen_at": "$$NOW"}, "$$ROOT"]}
        await collection.update_one(this, [{"$replaceWith": made}], upsert=True)
        await collection.update_one(
            {"_id": projection.name}, {"$setOnInsert": {"serves": projection.version}}, upsert=True
        )
        checkpoint = await collection.find_one(this)
        position: int = checkpoint["position"]
        return position

    async def save(self, projection: Projection, status: ProjectionStatus) -> None:
        """Save `status`; neither its position nor its head ever goes back."""
        await self._saves.submit((projection.id, status))

    async def serve(self, projection: Projection) -> None:
        """Let this version serve, unless a later one does."""
        await self._client.primary(COLLECTION).update_one(
            {"_id": projection.name}, {"$max": {"serves": projection.version}}, upsert=True
        )
        self._known_until = 0.0

    async def serving(self, view: str) -> int | None:
        """The serving version of `view`, at most a second old; None if none serves."""
        version = self._serving.get(view)
        if version is not None and asyncio.get_running_loop().time() < self._known_until:
            return version
        # One look-up for all callers, or every reader would make one each second.
        return await self._look_ups.submit(view)

    async def position(self, projection: str, *, at_least: int) -> int:
        """The checkpoint of the projection with this id.

        It is looked up unless the cached one, at most a second old, has reached `at_least`.
        """
        known = self._positions.get(projection, 0)
        if known >= at_least and asyncio.get_running_loop().time() < self._positions_until:
            return known
        await self._position_look_ups.submit(None)
        return self._positions.get(projection, 0)

    async def positions(self) -> Mapping[str, int]:
        """The current checkpoint of each view's serving version."""
        return await self._position_look_ups.submit(None)

    async def statuses(self) -> Sequence[ProjectionStatus]:
        """The current status of every projection, by name and version."""
        found = await (
            self._client.view(COLLECTION)
            .find({"version": {"$exists": True}}, _STATUS)
            .sort([("name", 1), ("version", 1)])
            .to_list(None)
        )
        return [_status(each).heard_at(each["now"]) for each in found]

    async def adopt(self, log: str) -> str:
        """Store `log` as the identity of the log if there is none; return the stored one."""
        await self._client.primary(LOG_COLLECTION).update_one(
            {"_id": _IDENTITY}, {"$setOnInsert": {"value": log}}, upsert=True
        )
        return await self.log_identity() or log

    async def log_identity(self) -> str | None:
        """The stored identity of the log; None if there is none."""
        found = await self._client.primary(LOG_COLLECTION).find_one({"_id": _IDENTITY})
        return None if found is None else str(found["value"])

    async def close(self) -> None:
        await self._saves.close()
        await self._look_ups.close()
        await self._position_look_ups.close()

    async def _save(self, saves: Sequence[_Save]) -> Sequence[None]:
        async with answering():
            await self._client.primary(COLLECTION).bulk_write(
                [_growing(*each) for each in saves], ordered=False
            )
        return [None] * len(saves)

    async def _look_up(self, views: Sequence[str]) -> Sequence[int | None]:
        asked_at = asyncio.get_running_loop().time()
        if asked_at >= self._known_until or not self._serving.keys() >= set(views):
            # Read from the same member as the documents: if it has the new serving version, it has
            # all earlier writes too. The primary could name a version of which a secondary has
            # only some documents yet.
            async with answering():
                found = (
                    await self._client.view(COLLECTION)
                    .find({"serves": {"$exists": True}})
                    .to_list(None)
                )
            self._serving = {each["_id"]: each["serves"] for each in found}
            self._known_until = asked_at + KNOWN_SECONDS
        return [self._serving.get(each) for each in views]

    async def _look_up_positions(self, asking: Sequence[None]) -> Sequence[Mapping[str, int]]:
        asked_at = asyncio.get_running_loop().time()
        # From the primary: it has the latest.
        async with answering():
            found = await self._client.primary(COLLECTION).find().to_list(None)
        self._positions = {each["_id"]: each["position"] for each in found if "version" in each}
        self._positions_until = asked_at + KNOWN_SECONDS
        serving = {each["_id"]: each["serves"] for each in found if "serves" in each}
        positions = {
            view: self._positions.get(projection_id(view, version), 0)
            for view, version in serving.items()
        }
        return [positions] * len(asking)


def _growing(projection: str, status: ProjectionStatus) -> UpdateOne:
    fields = _fields(status)
    growing = {
        name: value for name in ("position", "head") if (value := fields.pop(name)) is not None
    }
    saved = {"$set": fields, "$max": growing, "$currentDate": {"seen_at": True}}
    return UpdateOne({"_id": projection}, saved, upsert=True)


def _fields(status: ProjectionStatus) -> dict[str, Any]:
    """The stored fields of `status`, without `seen_at`: MongoDB's clock sets it."""
    names = (each for each in ProjectionStatus.__match_args__ if each != "seen_at")
    return {name: getattr(status, name) for name in names}


def _status(checkpoint: dict[str, Any]) -> ProjectionStatus:
    return ProjectionStatus(
        name=checkpoint["name"],
        version=checkpoint["version"],
        position=checkpoint.get("position"),
        head=checkpoint.get("head"),
        state=ProjectionState(checkpoint["state"]),
        error=checkpoint["error"],
        seen_at=checkpoint["seen_at"],
    )
