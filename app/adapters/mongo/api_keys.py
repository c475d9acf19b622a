"""The copy of the list of API keys, for processes without PostgreSQL.

The collection `api_keys` has one document, `list`, so that a read has all of one version: `log`,
`version` and `keys`, each with `id`, `digest`, `scopes`, `expires_at` and `is_revoked`.
"""

from collections.abc import Mapping
from typing import Any

from pymongo.read_concern import ReadConcern

from app.adapters.mongo import log_identity
from app.adapters.mongo.client import Client, Collection, checking
from app.framework.security.api_keys import NO_LIST, ApiKey, KeyList
from app.framework.storage import StorageNotReady

COLLECTION = "api_keys"

_LIST = "list"

_LATEST = ReadConcern("linearizable")
"""A primary that others have replaced, without its knowledge, must not accept a revoked key: so it
asks the majority whether it still is the primary."""


class MongoKeys:
    """Implements KeyCopy, by a client of its own: requests under way do not hold it up."""

    name = "MongoDB"

    def __init__(self, url: str, database: str) -> None:
        """Connect at the first use."""
        self._client = Client(url, database, "pymongo")

    async def close(self) -> None:
        await self._client.close()

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        async with checking():
            log = await log_identity.log_identity(self._client)
            copy = self._copy.with_options(read_concern=_LATEST)
            found = await copy.find_one({"_id": _LIST}, {"log": 1, "version": 1})
            if found is None or log not in (None, found["log"]):
                return NO_LIST
            if known is not None and known.is_list(found["log"], found["version"]):
                return None
            found = await copy.find_one({"_id": _LIST})
        return NO_LIST if found is None or log not in (None, found["log"]) else _list(found)

    async def write(self, keys: KeyList) -> None:
        async with checking():
            log = await log_identity.log_identity(self._client)
            if log is not None and log != keys.log:
                raise StorageNotReady(
                    f"MONGODB_URL, MONGODB_DATABASE: the read model there is of log {log}, but the "
                    f"API keys are of log {keys.log}. Connect databases that belong together."
                )
            # One update: of two writers at once the one with the older list changes nothing.
            older = {"$lt": ["$version", keys.version]}
            outdated = {"$or": [{"$ne": ["$log", keys.log]}, older]}
            replaced = {"$cond": [outdated, {"$literal": _document(keys)}, "$$ROOT"]}
            await self._copy.update_one({"_id": _LIST}, [{"$replaceWith": replaced}], upsert=True)

    @property
    def _copy(self) -> Collection:
        return self._client.primary(COLLECTION)


def _document(keys: KeyList) -> dict[str, Any]:
    listed = [
        {
            "id": each.id,
            "digest": each.digest,
            "scopes": sorted(each.scopes),
            "expires_at": each.expires_at,
            "is_revoked": each.is_revoked,
        }
        for each in keys.keys
    ]
    return {"_id": _LIST, "log": keys.log, "version": keys.version, "keys": listed}


def _list(found: Mapping[str, Any]) -> KeyList:
    keys = [
        ApiKey(
            id=each["id"],
            digest=each["digest"],
            scopes=frozenset(each["scopes"]),
            expires_at=each["expires_at"],
            is_revoked=each["is_revoked"],
        )
        for each in found["keys"]
    ]
    return KeyList(log=found["log"], version=found["version"], keys=keys)
