"""The indexes of a projection's collection."""

from collections.abc import Sequence

from pymongo import IndexModel

from app.adapters.mongo.client import Client, answering
from app.adapters.mongo.documents import TOMBSTONE_SECONDS
from app.adapters.mongo.long_operations import run_long_operation
from app.framework.projections import Index


async def create_indexes(client: Client, build: str, indexes: Sequence[Index]) -> None:
    """Create the missing indexes, which takes long only if the collection is large already."""
    async with answering():
        present = await client.primary(build).index_information()
    missing = [each for each in _models(indexes) if each.document["name"] not in present]
    if missing:
        await run_long_operation(
            client, lambda dedicated: dedicated.primary(build).create_indexes(missing)
        )


def _models(indexes: Sequence[Index]) -> list[IndexModel]:
    # Sparse: it has entries for tombstones only.
    tombstones = IndexModel("_deleted", expireAfterSeconds=TOMBSTONE_SECONDS, sparse=True)
    declared = [IndexModel([(name, 1) for name in (*each.fields, "_id")]) for each in indexes]
    return [tombstones, *declared]
