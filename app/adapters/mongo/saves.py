"""Saves of checkpoints."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any

from pymongo import UpdateOne

from app.adapters.batcher import Batcher
from app.adapters.mongo.changed_keys import SaveNumbers
from app.adapters.mongo.client import Collection as MongoCollection
from app.adapters.mongo.client import answering
from app.framework.projections import Lease, LeaseLost, Parked, ProjectionStatus

_Save = tuple[Lease, dict[str, Any], dict[str, Any]]
"""A lease, the filter that finds its checkpoint, and the update."""


class Saves:
    """Saves checkpoints, those at the same time together."""

    def __init__(self, collection: Callable[[], MongoCollection]) -> None:
        """Save in what `collection` gives, which may not be asked before the first save."""
        self._collection = collection
        self._numbers = SaveNumbers()
        self._saves = Batcher[_Save, None](
            "checkpoints", self._save, storage="MongoDB", largest=1_000, max_queued=10_000
        )

    async def close(self) -> None:
        """Save what was accepted."""
        await self._saves.close()

    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int,
        rate: float | None,
        mark: str | None,
        parked: Sequence[Parked] | None,
        replayed: Collection[str],
        changed: Collection[str],
    ) -> None:
        """See `BuildStore.save`."""
        saved = fields(status)
        growing = {
            name: value for name in ("position", "head") if (value := saved.pop(name)) is not None
        }
        update: dict[str, Any] = {
            "$set": {**saved, "rate": rate, **self._numbers.fields(lease, changed)},
            "$max": growing,
            "$currentDate": {"seen_at": True},
        }
        if mark is not None:
            update["$set"]["mark"] = mark
        if parked is not None:
            update["$set"]["parked"] = [asdict(each) for each in parked]
        if replayed:
            update["$pull"] = {"replay": {"$in": list(replayed)}}
        await self._saves.submit((lease, {**held(lease), "position": {"$gte": after}}, update))

    async def _save(self, saves: Sequence[_Save]) -> Sequence[Exception | None]:
        async with answering():
            saved = await self._collection().bulk_write(
                [UpdateOne(checkpoint, update) for _, checkpoint, update in saves], ordered=False
            )
            if saved.matched_count == len(saves):
                return [None] * len(saves)
            return [await self._refusal(lease, checkpoint) for lease, checkpoint, _ in saves]

    async def _refusal(self, lease: Lease, checkpoint: dict[str, Any]) -> Exception | None:
        found = await self._collection().find_one(checkpoint, {"_id": 1})
        return None if found else LeaseLost(lease.build)


def held(lease: Lease) -> dict[str, Any]:
    """The filter that finds a build as long as `lease` is not lost."""
    return {"_id": lease.build, "epoch": lease.epoch}


def fields(status: ProjectionStatus) -> dict[str, Any]:
    """The stored fields of `status`, without `seen_at`: MongoDB's clock sets it."""
    names = (each for each in ProjectionStatus.__match_args__ if each != "seen_at")
    return {name: getattr(status, name) for name in names}
