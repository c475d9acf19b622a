"""The schema: migrations, and the check that it is up to date."""

import asyncio
from pathlib import Path

import asyncpg

from app import NAME
from app.adapters.postgres import statements
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.errors import (
    CONFIGURATION_ERRORS,
    DRIVER_ERRORS,
    is_transient,
    message,
    unavailable,
)
from app.adapters.postgres.revision import (
    OLD_REVISIONS,
    REVISION_TABLE,
    REVISIONS,
    is_ours,
)
from app.adapters.postgres.sessions import ANSWER_SECONDS
from app.framework.storage import StorageNotReady, StorageUnavailable

REQUIRED_REVISION = "0007"
"""The newest alembic revision; the service does not run on an older one."""

LOCK_SECONDS = 60.0

_PLACES = (Path(__file__).parents[2], Path(__file__).parents[3])
"""The migrations: in the package of a wheel, beside it in a checkout."""


class SchemaBehind(StorageNotReady):
    """The database lacks migrations that this version needs."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(
            f"DATABASE_URL: the schema is at revision {revision or 'none'}, this version needs "
            f"{REQUIRED_REVISION}; run `python -m app migrate` first."
        )


class ForeignSchema(StorageNotReady):
    """The stored revision does not belong to this app."""

    def __init__(self, table: str, revision: str) -> None:
        super().__init__(
            f"DATABASE_URL: the table {table} holds the revision {revision!r}, which "
            f"{NAME} does not know; use another database, or restore that table."
        )


class ImportUnfinished(StorageNotReady):
    """A log is being imported; until all of it is there, the database cannot be used."""

    def __init__(self, position: int, end: int) -> None:
        super().__init__(
            f"DATABASE_URL: an import has come to position {position} of {end}; run "
            "`python -m app import FILE` with the same file until it is complete."
        )


class CannotMigrate(StorageNotReady):
    """The database refuses the migrations, or has newer ones than this version knows."""


async def check_schema(connection: Connection) -> None:
    """Return if this version of the app can run on the schema.

    Raises:
        SchemaBehind, ForeignSchema: it cannot.
        StorageNotReady: PostgreSQL refuses the check, for example for missing rights.
        StorageUnavailable: it does not answer.

    """
    try:
        table, revision = await _stored_revision(connection)
    except StorageUnavailable as error:
        if isinstance(error.__cause__, CONFIGURATION_ERRORS):
            raise _refused(error.__cause__) from error
        raise
    except asyncpg.PostgresError as error:
        raise _refused(error) from error
    if revision is not None and not is_ours(revision):
        raise ForeignSchema(table, revision)
    # Revisions are numbered, so that an older process can run beside a newer schema.
    if revision is None or revision < REQUIRED_REVISION:
        raise SchemaBehind(revision)


async def check_complete(connection: Connection) -> None:
    """Return if no import into the log is unfinished.

    Raises:
        ImportUnfinished: one is.
        StorageUnavailable: PostgreSQL does not answer.

    """
    if rows := await connection.fetch(statements.UNFINISHED_IMPORT):
        raise ImportUnfinished(*rows[0])


async def _stored_revision(connection: Connection) -> tuple[str, str | None]:
    """The stored revision, if any, and the name of its table."""
    for table, statement in ((REVISION_TABLE, REVISIONS), ("alembic_version", OLD_REVISIONS)):
        try:
            rows = await connection.fetch(statement)
        except asyncpg.UndefinedTableError:
            continue
        return table, ", ".join(sorted(row["version_num"] for row in rows)) or None
    return REVISION_TABLE, None


def _refused(error: Exception) -> StorageNotReady:
    return StorageNotReady("DATABASE_URL: PostgreSQL refuses", message(error))


def migrate(dsn: str, *, lock_seconds: float = LOCK_SECONDS) -> None:
    """Bring the schema of the database at `dsn` up to date; not within a running event loop.

    Returns at once where it is. Otherwise waits for other migrations and for locks on our tables,
    up to `lock_seconds` each. A schema of a newer version stays as it is.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        CannotMigrate: the migration failed.

    """
    if asyncio.run(_is_up_to_date(dsn)):
        return
    # Serving needs neither alembic nor SQLAlchemy, which are slow to import.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415 - see above
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see above

    config = Config(next(filter(Path.is_file, (each / "alembic.ini" for each in _PLACES))))
    config.attributes.update(database_url=dsn, lock_seconds=lock_seconds)
    try:
        # One transaction per revision: a single one would hold the lock of one revision while the
        # next scans the log, and appends would wait.
        for revision in reversed([*ScriptDirectory.from_config(config).walk_revisions()]):
            command.upgrade(config, revision.revision)
    except DRIVER_ERRORS as error:
        if _may_pass(error):
            raise unavailable(error) from error
        raise _cannot(_innermost(error, lock_seconds)) from error
    except (CommandError, SQLAlchemyError) as error:
        raise _cannot(_innermost(error, lock_seconds)) from error


async def _is_up_to_date(dsn: str) -> bool:
    """Whether there is nothing to migrate, as at most starts; False also if that is refused."""
    try:
        connection = await asyncpg.connect(dsn, timeout=ANSWER_SECONDS, statement_cache_size=0)
        try:
            # Behind a pooler, a transaction is what keeps to one session.
            async with connection.transaction():
                rows = await connection.fetch(REVISIONS, timeout=ANSWER_SECONDS)
        finally:
            await connection.close(timeout=ANSWER_SECONDS)
    except DRIVER_ERRORS as error:
        if _may_pass(error):
            raise unavailable(error) from error
        return False
    revisions = [row["version_num"] for row in rows]
    return len(revisions) == 1 and is_ours(revisions[0]) and revisions[0] >= REQUIRED_REVISION


def _may_pass(error: Exception) -> bool:
    return is_transient(error) and not isinstance(error, CONFIGURATION_ERRORS)


def _cannot(why: str) -> CannotMigrate:
    return CannotMigrate("DATABASE_URL: the schema cannot be migrated", why)


def _innermost(error: Exception, lock_seconds: float) -> str:
    """The error of asyncpg, which SQLAlchemy wraps twice."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(
        cause, asyncpg.PostgresError | asyncpg.ClientConfigurationError
    ):
        cause = cause.__cause__
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return f"another session has held a lock for {lock_seconds:g} s; is it migrating, too?"
    return message(cause or error)
