"""One connection to PostgreSQL, opened when it is needed and again when it was lost."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from app.storage import StorageUnavailable
from app.time_limits import time_limit

ANSWER_SECONDS = 4.0
"""How long PostgreSQL may take over connecting and one statement, so that a caller hears of
its absence within 5 s."""

UNREACHABLE = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until it is promoted
    asyncpg.InternalClientError,
)

TO_BE_MENDED = (
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Those of the UNREACHABLE that no waiting cures: credentials, a database that is not there."""

SESSION = """
set plan_cache_mode = force_generic_plan;
set enable_seqscan = off;
set jit = off
"""
"""Every statement here finds what it wants by an index, whatever its arguments are and however few
rows there are yet. Left to itself, PostgreSQL plans the look-up of a stream anew each time, which
takes longer than the look-up; and a plan made once, while a table is small, reads all of it.
Up to PostgreSQL 17 what is off counts as dear, and what is dear would be compiled."""


def reason(error: Exception) -> str:
    """What `error` says, in one line."""
    nameless = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    return " ".join(str(error).split()) or nameless


class Connection:
    """A connection for one purpose; calls take turns on it.

    Cheaper than a pool for statements that are batched anyway: a pool's release costs a
    round trip of its own.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of `statement`.

        Raises:
            StorageUnavailable: PostgreSQL cannot be reached or takes too long; whether the
                statement was carried out is unknown.
            asyncpg.PostgresError: it refuses the statement.

        """
        try:
            async with time_limit(ANSWER_SECONDS), self._turn:
                return await self._fetch(statement, arguments)
        except UNREACHABLE as error:
            raise StorageUnavailable("PostgreSQL", reason(error)) from error

    async def close(self) -> None:
        """Part from PostgreSQL once the call under way has ended."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is None or connection.is_closed():
                return
            try:
                await connection.close(timeout=1)
            except UNREACHABLE:
                connection.terminate()

    async def _fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._dsn, timeout=ANSWER_SECONDS)
                await self._connection.execute(SESSION)
            return await self._connection.fetch(statement, *arguments)
        except BaseException:
            # After a time-out or a cancellation the statement may still be under way.
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.terminate()
            raise
