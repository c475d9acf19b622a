"""Damages documents of builds directly in MongoDB, as no projector does."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from app.framework.projections import BuildRecord

WRONG = datetime(2000, 1, 1, tzinfo=UTC)

FIELDS = {
    "user_profiles": "created_at",
    "user_summaries": "created_at",
    "user_history": "occurred_at",
}
"""A field of the documents of each projection that no later event sets again."""

_IS_STORED = {"_deleted": {"$exists": False}}


@dataclass(frozen=True, slots=True)
class _Damage:
    """The keys of the documents of a build that were changed, removed and added."""

    field: str
    changed: Sequence[str]
    removed: Sequence[str]
    added: Sequence[str]


class Damages:
    """Damage to documents of some users, and what is left of it.

    counts: how many documents were changed, removed and added.
    """

    def __init__(self, url: str, database: str, users: Sequence[str], seed: int) -> None:
        self._client = AsyncMongoClient[dict[str, Any]](url, tz_aware=True)
        self._database = self._client[database]
        self._users = users
        self._chance = random.Random(f"{seed} damages")
        self._damages: dict[str, _Damage] = {}
        self.counts: Counter[str] = Counter()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    @property
    def builds(self) -> set[str]:
        """The ids of the builds that are damaged and not yet known to be repaired."""
        return {*self._damages}

    async def make(self, build: BuildRecord) -> None:
        """Change three documents of a build, remove three, and add two, unless it is damaged.

        Of the history these are the entries of registrations, which streams have passed.
        """
        if build.id in self._damages:
            return
        collection = self._database[build.id]
        of_events = build.name == "user_history"
        keys = [f"{each}:1" if of_events else each for each in self._users]
        stored = [each async for each in collection.find({"_id": {"$in": keys}, **_IS_STORED})]
        self._chance.shuffle(stored)
        changed, removed, copied = ([*stored[at : at + 3]] for at in (0, 3, 6))
        added = [{**each, "_id": f"{each['_id']}-added"} for each in copied[:2]]
        damage = _Damage(FIELDS[build.name], *(_keys(each) for each in (changed, removed, added)))
        self._damages[build.id] = damage
        await collection.update_many(_of(damage.changed), {"$set": {damage.field: WRONG}})
        await collection.delete_many(_of(damage.removed))
        for each in added:
            # An earlier repair may have left a tombstone there.
            await collection.replace_one({"_id": each["_id"]}, each, upsert=True)
        self.counts += Counter(changed=len(changed), removed=len(removed), added=len(added))

    async def left(self, build_id: str) -> int:
        """How many documents of a build are as `make` left them."""
        damage = self._damages[build_id]
        count = self._database[build_id].count_documents
        changed = await count({**_of(damage.changed), damage.field: WRONG})
        removed = await count({**_of(damage.removed), **_IS_STORED})
        added = await count({**_of(damage.added), **_IS_STORED})
        return changed + len(damage.removed) - removed + added

    async def phase(self, build_id: str) -> str:
        """How far the repair of a build is."""
        if build_id not in self._damages:
            return "over"
        damage, left = self._damages[build_id], await self.left(build_id)
        if left == len([*damage.changed, *damage.removed, *damage.added]):
            return "damaged"
        return "partly repaired" if left else "repaired"

    def forget(self, build_id: str) -> None:
        """The build is repaired or retired."""
        self._damages.pop(build_id, None)


def _keys(documents: Sequence[dict[str, Any]]) -> list[str]:
    return [each["_id"] for each in documents]


def _of(keys: Sequence[str]) -> dict[str, Any]:
    return {"_id": {"$in": keys}}
