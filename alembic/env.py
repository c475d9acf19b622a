"""How alembic reaches the database: through asyncpg, at DATABASE_URL or where it is told."""

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import Settings

# Any number will do that no other user of advisory locks in the database picks.
MIGRATION_LOCK = 4_746_219_033


CONNECT_SECONDS = 5.0

_DEFAULT_LOCK_SECONDS = 60.0


def _run(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        # No lock is waited for without end: neither this one nor one of those on the tables.
        seconds = context.config.attributes.get("lock_seconds", _DEFAULT_LOCK_SECONDS)
        connection.execute(text(f"set local lock_timeout = {round(seconds * 1000)}"))
        # Two processes that migrate at once take turns; the second finds nothing to do.
        connection.execute(text(f"select pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.run_migrations()


async def _run_online() -> None:
    url = context.config.attributes.get("database_url") or Settings.load().database_url
    if url is None:
        raise SystemExit("DATABASE_URL: set it to the database to migrate.")
    # asyncpg reads the URL itself, so that whatever it understands the app's URL may hold.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(url, timeout=CONNECT_SECONDS),
        poolclass=NullPool,
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_run_online())
