"""The collection that says how far each projection is, and which version of it serves.

A checkpoint goes under the projection's id, and which version serves under its name.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.adapters.batcher import Batcher
from app.adapters.mongo.client import Client, answering
from app.projecting import Projection, ProjectionState, ProjectionStatus

COLLECTION = "projections"
KNOWN_SECONDS = 1.0
"""For how long a process believes what it has read about the version that serves."""


class Checkpoints:
    """Checkpoints, and which version of a projection serves."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._serving: dict[str, int] = {}
        self._known_until = 0.0
        self._look_ups = Batcher[str, int | None](
            "look-ups of projections",
            self._look_up,
            storage="MongoDB",
            largest=10_000,
            waiting=10_000,
        )

    async def prepare(self, projection: Projection) -> int:
        """Make a checkpoint if there is none, and serve if no version does; its position."""
        collection = self._client.primary(COLLECTION)
        this = {"_id": projection.id}
        first = ProjectionStatus.at_the_beginning(projection)
        await collection.update_one(this, {"$setOnInsert": _fields(first)}, upsert=True)
        await collection.update_one(
            {"_id": projection.name}, {"$setOnInsert": {"serves": projection.version}}, upsert=True
        )
        checkpoint = await collection.find_one(this)
        position: int = checkpoint["position"]
        return position

    async def save(self, projection: Projection, status: ProjectionStatus) -> None:
        """Save `status`; neither its position nor its head ever goes back."""
        fields = _fields(status)
        growing = {
            name: value for name in ("position", "head") if (value := fields.pop(name)) is not None
        }
        await self._client.primary(COLLECTION).update_one(
            {"_id": projection.id}, {"$set": fields, "$max": growing}, upsert=True
        )

    async def serve(self, projection: Projection) -> None:
        """Point the projection's name at this version, unless a later one serves."""
        await self._client.primary(COLLECTION).update_one(
            {"_id": projection.name}, {"$max": {"serves": projection.version}}, upsert=True
        )
        self._known_until = 0.0

    async def serving(self, view: str) -> int | None:
        """The version of `view` that serves, as of a second ago at most; None if none does."""
        version = self._serving.get(view)
        if version is not None and asyncio.get_running_loop().time() < self._known_until:
            return version
        # One look-up for all who wait, or every reader would make one each second.
        return await self._look_ups.submit(view)

    async def statuses(self) -> Sequence[ProjectionStatus]:
        """Every checkpoint, as seen now, by name and version."""
        found = await (
            self._client.view(COLLECTION)
            .find({"version": {"$exists": True}})
            .sort([("name", 1), ("version", 1)])
            .to_list(None)
        )
        now = datetime.now(UTC)
        return [_status(each).heard_at(now) for each in found]

    async def close(self) -> None:
        """Finish the look-up under way."""
        await self._look_ups.close()

    async def _look_up(self, views: Sequence[str]) -> Sequence[int | None]:
        asked_at = asyncio.get_running_loop().time()
        if asked_at >= self._known_until or not self._serving.keys() >= set(views):
            # Read from where the documents are: a member of the set that knows which version
            # serves has all that was written before. The primary would name a new version
            # when a secondary has but a part of its documents; of the old one it has all.
            async with answering():
                found = (
                    await self._client.view(COLLECTION)
                    .find({"serves": {"$exists": True}})
                    .to_list(None)
                )
            self._serving = {each["_id"]: each["serves"] for each in found}
            self._known_until = asked_at + KNOWN_SECONDS
        return [self._serving.get(each) for each in views]


def _fields(status: ProjectionStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in ProjectionStatus.__match_args__}


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
