"""The databases of a command: those in the settings, or embedded ones where they name none."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.adapters.mongo.replica_set import initiate
from app.adapters.postgres import migrate
from app.host.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from app.devtools.servers import Urls


@contextlib.contextmanager
def owned_databases(settings: Settings, *, migrating: bool = True) -> Iterator[Settings]:
    """`settings` with a URL of each database that the roles need, for a `with` block.

    This process owns the embedded servers and the data directory meanwhile; an embedded
    PostgreSQL is migrated unless `migrating` is false.

    Raises:
        InvalidSettings: one database is named, and another is needed.
        CannotStart: embedded servers are needed and do not come up.

    """
    postgres, mongodb = _missing(settings)
    if not postgres and not mongodb:
        yield settings
        return
    from app.devtools.servers import embedded_servers  # noqa: PLC0415 - only development needs it

    with embedded_servers(settings.data_dir, initiate, postgres=postgres, mongodb=mongodb) as urls:
        if urls.postgres and migrating:
            migrate(urls.postgres)
        yield _with(settings, urls)


@contextlib.contextmanager
def shared_databases(settings: Settings, *, migrating: bool = True) -> Iterator[Settings]:
    """Like `owned_databases`, but uses embedded servers that another process runs.

    Raises:
        InvalidSettings: as for `owned_databases`.
        CannotStart: embedded servers are needed and do not come up, or do not answer.

    """
    postgres, mongodb = _missing(settings)
    if not postgres and not mongodb:
        yield settings
        return
    from app.devtools.servers import DataDirInUse, running_servers  # noqa: PLC0415 - as above

    with contextlib.ExitStack() as stack:
        try:
            ready = stack.enter_context(owned_databases(settings, migrating=migrating))
        except DataDirInUse:
            urls = running_servers(settings.data_dir, postgres=postgres, mongodb=mongodb)
            ready = _with(settings, urls)
        yield ready


def _missing(settings: Settings) -> tuple[bool, bool]:
    postgres = settings.needs_postgres and settings.database_url is None
    mongodb = settings.needs_mongodb and settings.mongodb_url is None
    # What is done on an embedded server beside a real one would count nowhere, and look done.
    if postgres and settings.mongodb_url is not None:
        raise _refusal("DATABASE_URL", given="MONGODB_URL")
    if mongodb and settings.database_url is not None:
        raise _refusal("MONGODB_URL", given="DATABASE_URL")
    return postgres, mongodb


def _refusal(missing: str, *, given: str) -> InvalidSettings:
    return InvalidSettings(
        f"{missing}: not set, but {given} is; set it too, as embedded servers are used only where "
        "neither is set"
    )


def _with(settings: Settings, urls: "Urls") -> Settings:
    return settings.model_copy(
        update={
            "database_url": settings.database_url or urls.postgres,
            "mongodb_url": settings.mongodb_url or urls.mongodb,
        }
    )
