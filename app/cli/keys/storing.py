"""What the commands of API keys share: the databases, and the copy in MongoDB."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from app.adapters.mongo import MongoKeys
from app.adapters.postgres import PostgresKeys
from app.cli.databases import shared_databases
from app.framework.observability import logs
from app.framework.storage import StorageError
from app.host.settings import Role, Settings

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Databases:
    """The list of keys in PostgreSQL, and its copy in MongoDB."""

    store: PostgresKeys
    copy: MongoKeys

    async def replace_copy(self) -> None:
        """Write all of the list to MongoDB, also over one of a later version.

        Raises:
            StorageError: one of the databases cannot be used, or they do not belong together.

        """
        copied = await self.copy.read()
        assert copied
        await self.copy.write(await self.store.renew(above=copied.version))

    async def update_copy(self) -> str | None:
        """As `replace_copy`, but returns what went wrong, if something did."""
        try:
            await self.replace_copy()
        except StorageError as error:
            return str(error)
        return None


def with_stored_keys(work: Callable[[PostgresKeys], Awaitable[ResultT]]) -> ResultT:
    """The result of `work` on PostgreSQL alone.

    Raises:
        StorageError: it cannot be used.

    """
    settings = _settings(Role.COMMANDS)
    with shared_databases(settings) as ready:
        return asyncio.run(_with_store(ready, work))


def with_databases(work: Callable[[Databases], Awaitable[ResultT]]) -> ResultT:
    """The result of `work` on both databases, of which only PostgreSQL is checked.

    Raises:
        StorageError: PostgreSQL cannot be used.

    """
    settings = _settings(Role.COMMANDS, Role.QUERIES)
    with shared_databases(settings) as ready:
        return asyncio.run(_with_both(ready, work))


def explain(text: str) -> None:
    """Write for people: standard output is for the key alone."""
    sys.stderr.write(f"{text}\n")


def _settings(*roles: Role) -> Settings:
    settings = Settings.load().model_copy(update={"roles": frozenset(roles)})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    return settings


async def _with_store(
    settings: Settings, work: Callable[[PostgresKeys], Awaitable[ResultT]]
) -> ResultT:
    assert settings.database_url
    store = PostgresKeys(settings.database_url)
    try:
        await store.check()
        return await work(store)
    finally:
        await store.close()


async def _with_both(
    settings: Settings, work: Callable[[Databases], Awaitable[ResultT]]
) -> ResultT:
    assert settings.mongodb_url
    copy = MongoKeys(settings.mongodb_url, settings.mongodb_database)
    try:
        return await _with_store(settings, lambda store: work(Databases(store, copy)))
    finally:
        await copy.close()
