"""The event store on PostgreSQL, through asyncpg."""

from app.adapters.postgres.event_store import PostgresEventStore
from app.adapters.postgres.schema import CannotMigrate, ForeignSchema, SchemaBehind, migrate
from app.adapters.postgres.urls import check_url

__all__ = [
    "CannotMigrate",
    "ForeignSchema",
    "PostgresEventStore",
    "SchemaBehind",
    "check_url",
    "migrate",
]
