"""Connects alembic to the database, through asyncpg, at DATABASE_URL or the configured URL."""

import asyncio
from collections.abc import Sequence

from alembic import context
from sqlalchemy import Connection, NullPool, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.adapters.postgres.revision import OLD_REVISIONS, REVISION_TABLE, is_ours
from app.host.settings import Settings

# Any number will do that no other user of advisory locks in the database picks.
MIGRATION_LOCK = 4_746_219_033


CONNECT_SECONDS = 5.0

_DEFAULT_LOCK_SECONDS = 60.0


def _run(connection: Connection) -> None:
    context.configure(connection=connection, version_table=REVISION_TABLE)
    with context.begin_transaction():
        # No lock is waited for without end: neither this one nor one of those on the tables.
        seconds = context.config.attributes.get("lock_seconds", _DEFAULT_LOCK_SECONDS)
        connection.execute(text(f"set local lock_timeout = {round(seconds * 1000)}"))
        connection.execute(text("set local statement_timeout = 0"))
        # Two processes that migrate at once take turns; the second finds nothing to do.
        connection.execute(text(f"select pg_advisory_xact_lock({MIGRATION_LOCK})"))
        _carry_over(connection)
        if not _is_newer(context.get_context().get_current_heads()):
            context.run_migrations()


def _carry_over(connection: Connection) -> None:
    """Take the revision from where the version before kept it, which older processes still read."""
    tables = inspect(connection)
    if tables.has_table(REVISION_TABLE) or not tables.has_table("alembic_version"):
        return
    revisions = connection.scalars(text(OLD_REVISIONS)).all()
    if len(revisions) == 1 and is_ours(revisions[0]):
        context.get_context().stamp(context.script, revisions[0])


def _is_newer(heads: Sequence[str]) -> bool:
    """Whether a newer version of this app has migrated; there is nothing to do then."""
    newest = context.script.get_current_head() or ""
    return any(is_ours(each) and each > newest for each in heads)


async def _run_online() -> None:
    url = context.config.attributes.get("database_url") or Settings.load().database_url
    if url is None:
        raise SystemExit("DATABASE_URL: set it to the database to migrate.")
    engine = create_async_engine(
        "postgresql+asyncpg://",
        # A process that has waited for the lock has to see what another did meanwhile.
        isolation_level="READ COMMITTED",
        poolclass=NullPool,
        connect_args={
            # asyncpg reads the URL itself: the app's may hold all that it understands.
            "dsn": url,
            "timeout": CONNECT_SECONDS,
            # Through a pooler a session may be another's by the next transaction: statements
            # without a name leave nothing behind in it.
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: "",
        },
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_run_online())
