"""API keys in memory."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.framework.security.api_keys import NO_LIST, ApiKey, KeyDetails, KeyList
from app.framework.storage import StorageNotReady


@dataclass(slots=True)
class _Stored:
    key: ApiKey
    details: KeyDetails


class MemoryKeys:
    """Implements KeyStore."""

    name = "memory"

    def __init__(self) -> None:
        self._log = str(uuid4())
        self._version = 0
        self._stored: dict[str, _Stored] = {}

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        await asyncio.sleep(0)
        return None if known and known.is_list(self._log, self._version) else self._list()

    async def close(self) -> None:
        """Keep everything: another may go on with it."""

    async def add(
        self, key: ApiKey, name: str, *, valid_for: timedelta | None = None
    ) -> KeyDetails:
        await asyncio.sleep(0)
        now = datetime.now(UTC)
        expires_at = None if valid_for is None else now + valid_for
        details = KeyDetails(
            id=key.id,
            name=name,
            scopes=sorted(key.scopes),
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            last_used_at=None,
        )
        self._stored[key.id] = _Stored(replace(key, expires_at=expires_at), details)
        self._version += 1
        return details

    async def revoke(self, key_id: str) -> KeyDetails | None:
        await asyncio.sleep(0)
        self._version += 1
        stored = self._stored.get(key_id)
        if stored is None:
            return None
        stored.key = replace(stored.key, is_revoked=True)
        revoked_at = stored.details.revoked_at or datetime.now(UTC)
        stored.details = replace(stored.details, revoked_at=revoked_at)
        return stored.details

    async def renew(self, *, above: int) -> KeyList:
        await asyncio.sleep(0)
        self._version = max(self._version, above) + 1
        return self._list()

    async def details(self) -> Sequence[KeyDetails]:
        await asyncio.sleep(0)
        return [each.details for each in self._stored.values()]

    async def save_uses(self, key_ids: Collection[str]) -> None:
        await asyncio.sleep(0)
        now = datetime.now(UTC)
        for each in (self._stored[key_id] for key_id in key_ids if key_id in self._stored):
            last = each.details.last_used_at
            if last is None or now - last >= timedelta(minutes=1):
                each.details = replace(each.details, last_used_at=now)

    def _list(self) -> KeyList:
        keys = [self._stored[each].key for each in sorted(self._stored)]
        return KeyList(log=self._log, version=self._version, keys=keys)


class MemoryKeyCopy:
    """Implements KeyCopy.

    log: the identity of the log of the read model; None before a projector has named it.
    """

    name = "memory"

    def __init__(self) -> None:
        self.log: str | None = None
        self._list = NO_LIST

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        await asyncio.sleep(0)
        if self._list is NO_LIST or self.log not in (None, self._list.log):
            return NO_LIST
        return None if known and known.is_list(self._list.log, self._list.version) else self._list

    async def write(self, keys: KeyList) -> None:
        await asyncio.sleep(0)
        if self.log not in (None, keys.log):
            raise StorageNotReady(
                f"The read model is of log {self.log}, but the keys are of {keys.log}."
            )
        if keys.log != self._list.log or keys.version > self._list.version:
            self._list = keys

    async def close(self) -> None:
        """Keep everything: another may go on with it."""
