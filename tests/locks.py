"""Locks that another session of PostgreSQL holds."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg


@contextlib.asynccontextmanager
async def log_head_locked(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Another session holds the lock that every append needs, for a `with` block."""
    async with connection.transaction():
        await connection.execute("select from log_head for update")
        yield
