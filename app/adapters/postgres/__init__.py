"""The event store and the list of API keys on PostgreSQL, through asyncpg."""

from app.adapters.postgres.api_keys import PostgresKeys
from app.adapters.postgres.event_store import PostgresEventStore
from app.adapters.postgres.schema import (
    CannotMigrate,
    ForeignSchema,
    ImportUnfinished,
    SchemaBehind,
    migrate,
)
from app.adapters.postgres.stored_log import PostgresStoredLog
from app.adapters.postgres.urls import checked_url

__all__ = [
    "CannotMigrate",
    "ForeignSchema",
    "ImportUnfinished",
    "PostgresEventStore",
    "PostgresKeys",
    "PostgresStoredLog",
    "SchemaBehind",
    "checked_url",
    "migrate",
]
