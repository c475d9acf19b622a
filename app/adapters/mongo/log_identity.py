"""The identity of the log that the read model was built from."""

from app.adapters.mongo.client import Client

COLLECTION = "log"
"""No projection has this name: their collections have the version in theirs."""

_IDENTITY = "identity"


async def adopt(client: Client, log: str) -> str:
    """Store `log` as the identity of the log if there is none; return the stored one."""
    await client.primary(COLLECTION).update_one(
        {"_id": _IDENTITY}, {"$setOnInsert": {"value": log}}, upsert=True
    )
    return await log_identity(client) or log


async def log_identity(client: Client) -> str | None:
    """The stored identity of the log; None if there is none."""
    found = await client.primary(COLLECTION).find_one({"_id": _IDENTITY})
    return None if found is None else str(found["value"])
