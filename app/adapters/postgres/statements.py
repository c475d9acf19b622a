"""The SQL of the event store; the schema, and the function that appends, are in `alembic/`."""

APPEND = "select * from append_events($1::jsonb)"
"""Appends a batch: a JSON array of items, a row of outcome for each, in their order."""

LOAD = """
select wanted.item, e.*
from unnest($1::text[], $2::integer[]) with ordinality as wanted (stream_id, after_version, item)
cross join lateral (
    select position, stream_id, version, type, schema_version, data, metadata, recorded_at
    from events
    where stream_id = wanted.stream_id and version > wanted.after_version
    order by version
) e
order by wanted.item, e.version
"""
"""The events of several streams, each past a version; `item` counts the streams from 1.

The order within `lateral` makes PostgreSQL look each stream up in its index: of a join it thinks,
while it has no statistics of the log, that reading all of it is cheaper.
"""

RECEIPTS = "select key, fingerprint, stream_id, version from receipts where key = any($1::text[])"
"""What was recorded under idempotency keys."""

PURGE_RECEIPTS = """
delete from receipts where key in (
    select key from receipts
    where recorded_at < clock_timestamp() - $1::interval
    order by recorded_at
    limit $2
)
returning 1
"""
"""Forgets so many at most of the receipts older than an interval."""

READ = """
select position, stream_id, version, type, schema_version, data, metadata, recorded_at
from events
where position > $1
order by position
limit $2
"""
"""The log past a position."""

HEAD = "select position from log_head"
"""The position of the last event."""

REVISION = "select version_num from alembic_version"
"""The revision that the schema is at."""
