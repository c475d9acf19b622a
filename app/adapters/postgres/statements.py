"""The SQL of the event store; the schema, and the function that appends, are in `alembic/`."""

APPEND = "select * from append_events_v2($1::jsonb)"
"""Appends a batch: a JSON array of items, and a row with the outcome of each, in order.

A function with other arguments or results gets a new name, as older processes still call this
one."""

LOAD = """
select wanted.item, found.*
from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[])
    with ordinality as wanted (stream_id, after_version, up_to_version, snapshot_version, item)
left join lateral (
    select position, stream_id, version, edition, data, recorded_at
    from snapshots
    where stream_id = wanted.stream_id and edition = wanted.snapshot_version
      and version > wanted.after_version and version <= wanted.up_to_version
    limit 1
) kept on true
cross join lateral (
    select kept.position, kept.stream_id, kept.version, null as type, kept.edition,
           kept.data, null::jsonb as metadata, kept.recorded_at
    where kept.stream_id is not null
    union all
    (select position, stream_id, version, type, schema_version, data, metadata, recorded_at
     from events
     where stream_id = wanted.stream_id
       and version > coalesce(kept.version, wanted.after_version)
       and version <= wanted.up_to_version
     order by version
     limit $5)
) found (position, stream_id, version, type, schema_version, data, metadata, recorded_at)
order by wanted.item, found.version
"""
"""The next events of several streams, each after one version and up to another, and a limit.

`item` counts the streams from 1. The rows of a stream start with its snapshot (it has no type), if
it is between those versions and has the wanted snapshot version (the column `edition`); the events
after it follow. The `lateral` parts make PostgreSQL look each stream up in its index: without
statistics it would prefer to scan the table for a join.
"""

RECEIPTS = "select key, fingerprint, stream_id, version from receipts where key = any($1::text[])"
"""The receipts of idempotency keys."""

REBASE_MARKS = """
update receipt_marks set made_at = clock_timestamp()
from (select max(made_at) - clock_timestamp() as ahead from receipt_marks) newest
where made_at > clock_timestamp() + $1::interval
returning newest.ahead
"""
"""Moves marks that are further in the future than an interval to now."""

ADD_MARK = """
insert into receipt_marks (number, last_receipt, recorded_at, made_at)
select coalesce(newest.number, 0) + 1,
       case when numbers.is_called then numbers.last_value else 0 end,
       greatest(log_head.recorded_at, clock_timestamp()),
       clock_timestamp()
from log_head
cross join receipts_number_seq numbers
left join (
    select number, made_at from receipt_marks order by number desc limit 1
) newest on true
where newest.number is null or clock_timestamp() >= newest.made_at + $1::interval
on conflict do nothing
"""
"""Adds a mark, unless the newest is younger than an interval. If several processes do so at once,
one succeeds, as all use the same number."""

MARK = """
select number, last_receipt, recorded_at from receipt_marks
order by number desc offset $1 limit 1
"""
"""The mark that is a number of marks old."""

PURGE_RECEIPTS = """
delete from receipts where key in (
    select key from receipts
    where recorded_at <= $2 and number <= $1
    order by recorded_at
    limit $3
)
returning 1
"""
"""Deletes receipts up to the last one of a mark, at most a given number. The time of the mark only
limits how much of the index is read."""

FORGET_MARKS = "delete from receipt_marks where number < $1"
"""Deletes the marks before one."""

READ = """
select position, stream_id, version, type, schema_version, data, metadata, recorded_at
from events
where position > $1 and position <= (select position from log_head where is_head)
order by position
limit $2
"""
"""The log after a position. What an import has brought is part of it once all of it is there."""

HEAD = "select position from log_head"
"""The position of the last event."""

CLOCK = """
select nullif(recorded_at, '-infinity') as recorded_at, clock_timestamp() as now from log_head
"""
"""The time of the last event, null if there is none, and the time now."""

IDENTITY = "select identity::text as identity from log_identity"
"""The identity of the log."""

UNFINISHED_IMPORT = """
select coalesce((select max(position) from events), 0) as position,
       (importing ->> 'position')::bigint as end
from log_head
where importing is not null
"""
"""How far an import has come, and where it ends; no row if none is unfinished."""
