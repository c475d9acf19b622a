"""The schema: bringing it up to date, and seeing whether it is."""

from pathlib import Path

import asyncpg

from app.adapters.postgres.connection import TO_BE_MENDED, UNREACHABLE, reason
from app.storage import StorageNotReady, StorageUnavailable

REQUIRED_REVISION = "0003"
"""The newest alembic revision; the service does not run on an older one."""

LOCK_SECONDS = 60.0

_ALEMBIC_INI = Path(__file__).parents[3] / "alembic.ini"


class SchemaBehind(StorageNotReady):
    """The database lacks migrations that this version of the app relies on."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(
            f"DATABASE_URL: the schema is at revision {revision or 'none'}, this version needs "
            f"{REQUIRED_REVISION}; run `python -m app migrate` first."
        )


class CannotMigrate(StorageNotReady):
    """The database refuses the migrations, or has newer ones than this version knows."""


def migrate(dsn: str, *, lock_seconds: float = LOCK_SECONDS) -> None:
    """Bring the schema of the database at `dsn` up to date; not within a running event loop.

    Others that migrate, or hold a lock on one of our tables, are waited for, but not for longer
    than `lock_seconds` at a time.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        CannotMigrate: it can, but not be migrated.

    """
    # Serving needs neither alembic nor SQLAlchemy, which take a good part of its start-up.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415 - see above
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see above

    config = Config(_ALEMBIC_INI)
    config.attributes.update(database_url=dsn, lock_seconds=lock_seconds)
    try:
        command.upgrade(config, "head")
    except TO_BE_MENDED as error:
        raise _cannot(reason(error)) from error
    except UNREACHABLE as error:
        raise StorageUnavailable("PostgreSQL", reason(error)) from error
    except (asyncpg.PostgresError, CommandError, SQLAlchemyError) as error:
        raise _cannot(_innermost(error, lock_seconds)) from error


def _cannot(why: str) -> CannotMigrate:
    return CannotMigrate(f"DATABASE_URL: the schema cannot be migrated: {why}")


def _innermost(error: Exception, lock_seconds: float) -> str:
    """What asyncpg said, which SQLAlchemy wraps twice."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, asyncpg.PostgresError):
        cause = cause.__cause__
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return f"another session has held a lock for {lock_seconds:g} s; is it migrating, too?"
    return reason(cause or error)
