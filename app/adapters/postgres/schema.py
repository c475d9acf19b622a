"""The schema: bringing it up to date, and seeing whether it is."""

from pathlib import Path

import asyncpg

from app import NAME
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
from app.framework.storage import StorageNotReady, StorageUnavailable

REQUIRED_REVISION = "0004"
"""The newest alembic revision; the service does not run on an older one."""

LOCK_SECONDS = 60.0

_PLACES = (Path(__file__).parents[2], Path(__file__).parents[3])
"""Where the migrations are: a wheel has them in the package, a checkout beside it."""


class SchemaBehind(StorageNotReady):
    """The database lacks migrations that this version of the app relies on."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(
            f"DATABASE_URL: the schema is at revision {revision or 'none'}, this version needs "
            f"{REQUIRED_REVISION}; run `python -m app migrate` first."
        )


class ForeignSchema(StorageNotReady):
    """The revision that is stored is none of this app's."""

    def __init__(self, table: str, revision: str) -> None:
        super().__init__(
            f"DATABASE_URL: the table {table} holds the revision {revision!r}, which "
            f"{NAME} does not know; use another database, or restore that table."
        )


class CannotMigrate(StorageNotReady):
    """The database refuses the migrations, or has newer ones than this version knows."""


async def check_schema(connection: Connection) -> None:
    """Return if this version of the app can run on the schema.

    Raises:
        SchemaBehind, ForeignSchema: it cannot.
        StorageNotReady: PostgreSQL refuses to say, until it is set up otherwise.
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
    # Revisions are numbered, so that an older process runs on beside a newer one's schema.
    if revision is None or revision < REQUIRED_REVISION:
        raise SchemaBehind(revision)


async def _stored_revision(connection: Connection) -> tuple[str, str | None]:
    """The revision that is stored, if any, and the name of the table that has it."""
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

    Others that migrate, or hold a lock on one of our tables, are waited for, but not for longer
    than `lock_seconds` at a time. A schema of a newer version of this app is left alone.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        CannotMigrate: it can, but not be migrated.

    """
    # Serving needs neither alembic nor SQLAlchemy, which take a good part of its start-up.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415 - see above
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see above

    config = Config(next(filter(Path.is_file, (each / "alembic.ini" for each in _PLACES))))
    config.attributes.update(database_url=dsn, lock_seconds=lock_seconds)
    try:
        # Each revision in a transaction of its own: in one for all, the lock that one takes on a
        # table would be held while the next goes through the log, and appends would wait.
        for revision in reversed([*ScriptDirectory.from_config(config).walk_revisions()]):
            command.upgrade(config, revision.revision)
    except DRIVER_ERRORS as error:
        if is_transient(error) and not isinstance(error, CONFIGURATION_ERRORS):
            raise unavailable(error) from error
        raise _cannot(_innermost(error, lock_seconds)) from error
    except (CommandError, SQLAlchemyError) as error:
        raise _cannot(_innermost(error, lock_seconds)) from error


def _cannot(why: str) -> CannotMigrate:
    return CannotMigrate("DATABASE_URL: the schema cannot be migrated", why)


def _innermost(error: Exception, lock_seconds: float) -> str:
    """What asyncpg said, which SQLAlchemy wraps twice."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, asyncpg.PostgresError):
        cause = cause.__cause__
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return f"another session has held a lock for {lock_seconds:g} s; is it migrating, too?"
    return message(cause or error)
