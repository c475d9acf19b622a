"""API keys: the list, and its versions."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from app.adapters.postgres.connection import Connection
from app.adapters.postgres.errors import message
from app.adapters.postgres.key_statements import (
    ADD_KEY,
    KEY_DETAILS,
    READ_KEYS,
    RENEW_KEYS,
    REVOKE_KEY,
    SAVE_USES,
)
from app.adapters.postgres.schema import check_schema
from app.adapters.postgres.sessions import Sessions
from app.framework.security.api_keys import NO_LIST, ApiKey, KeyDetails, KeyList
from app.framework.storage import StorageNotReady


class PostgresKeys:
    """Implements KeyStore, over a connection of its own: no request has to wait for it."""

    name = "PostgreSQL"

    def __init__(self, dsn: str) -> None:
        """Connect at the first use."""
        self._connection = Connection(Sessions(dsn))

    async def check(self) -> None:
        """Return if the schema is up to date.

        Raises:
            StorageNotReady: it is not.
            StorageUnavailable: PostgreSQL does not answer.

        """
        await check_schema(self._connection)

    async def close(self) -> None:
        await self._connection.close()

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        known = known or NO_LIST
        rows = await self._fetch(READ_KEYS, known.log, known.version)
        return None if known.is_list(rows[0]["log"], rows[0]["version"]) else _list(rows)

    async def add(
        self, key: ApiKey, name: str, *, valid_for: timedelta | None = None
    ) -> KeyDetails:
        scopes = sorted(key.scopes)
        [row] = await self._fetch(ADD_KEY, key.id, key.digest, name, scopes, valid_for)
        return KeyDetails(**row)

    async def revoke(self, key_id: str) -> KeyDetails | None:
        rows = await self._fetch(REVOKE_KEY, key_id)
        return KeyDetails(**rows[0]) if rows else None

    async def renew(self, *, above: int) -> KeyList:
        await self._fetch(RENEW_KEYS, above)
        return _list(await self._fetch(READ_KEYS, NO_LIST.log, NO_LIST.version))

    async def details(self) -> Sequence[KeyDetails]:
        return [KeyDetails(**row) for row in await self._fetch(KEY_DETAILS)]

    async def save_uses(self, key_ids: Collection[str]) -> None:
        await self._fetch(SAVE_USES, list(key_ids))

    async def _fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        try:
            return await self._connection.fetch(statement, *arguments)
        except asyncpg.PostgresError as error:
            raise StorageNotReady(
                "DATABASE_URL: PostgreSQL refuses to read or change API keys", message(error)
            ) from error


def _list(rows: Sequence[asyncpg.Record]) -> KeyList:
    keys = [
        ApiKey(
            id=row["id"],
            digest=row["digest"],
            scopes=frozenset(row["scopes"]),
            expires_at=row["expires_at"],
            is_revoked=row["is_revoked"],
        )
        for row in rows
        if row["id"] is not None
    ]
    return KeyList(log=rows[0]["log"], version=rows[0]["version"], keys=keys)
