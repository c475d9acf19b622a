"""Verifications in MongoDB, for every process to show.

The collection `verifications` has a document for each, under its id, with the fields of
VerificationDetails and `seen_at`, when it was saved last.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from app.adapters.mongo.build_records import known, parked_documents
from app.adapters.mongo.client import Client, Collection, Driver, answering
from app.framework.administration import KEPT_SECONDS, SILENT_SECONDS, VerificationDetails
from app.framework.projections import Difference, DifferenceKind

COLLECTION = "verifications"


class MongoVerifications:
    """Implements VerificationRecords."""

    def __init__(
        self, url: str, database: str, driver: Driver, *, silent_seconds: float = SILENT_SECONDS
    ) -> None:
        """Connect at the first use; one that was silent for so long has died."""
        self._client = Client(url, database, driver)
        self._is_indexed = False
        silent = {"$subtract": ["$$NOW", int(silent_seconds * 1000)]}
        self._is_alive = {"$or": [{"is_over": True}, {"$expr": {"$gt": ["$seen_at", silent]}}]}

    async def close(self) -> None:
        await self._client.close()

    @answering()
    async def save(self, verification: VerificationDetails) -> None:
        if not self._is_indexed:
            await self._collection.create_index("seen_at", expireAfterSeconds=int(KEPT_SECONDS))
            self._is_indexed = True
        fields = {"$literal": _document(verification)}
        await self._collection.update_one(
            {"_id": verification.id},
            [{"$replaceWith": {"$mergeObjects": [fields, {"seen_at": "$$NOW"}]}}],
            upsert=True,
        )

    @answering()
    async def find(self, name: str, verification_id: str) -> VerificationDetails | None:
        found = await self._collection.find_one(
            {"_id": verification_id, "projection": name, **self._is_alive}
        )
        return None if found is None else _verification(found)

    @answering()
    async def under_way(self, name: str) -> str | None:
        found = await self._collection.find_one(
            {"projection": name, "is_over": False, **self._is_alive}, {"_id": 1}
        )
        return None if found is None else str(found["_id"])

    @property
    def _collection(self) -> Collection:
        return self._client.primary(COLLECTION)


def _document(verification: VerificationDetails) -> dict[str, Any]:
    fields = asdict(verification)
    return {"_id": fields.pop("id"), **fields}


def _verification(found: Mapping[str, Any]) -> VerificationDetails:
    differences = [known(Difference, each) for each in found["differences"]]
    details = {
        **found,
        "id": found["_id"],
        "differences": [replace(each, kind=DifferenceKind(each.kind)) for each in differences],
        "parked": parked_documents(found),
    }
    return known(VerificationDetails, details)
