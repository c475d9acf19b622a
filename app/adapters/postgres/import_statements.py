"""The SQL of export and import; each statement is a transaction of its own."""

READ_STORED = """
select position, stream_id, version, type, schema_version, data, metadata, recorded_at
from events
where position > $1
order by position
limit $2
"""
"""The events after a position, also those of an unfinished import."""

READ_STREAMS = """
select position, stream_id, version, type, schema_version, data, metadata, recorded_at
from events
where (stream_id, version) > ($1, $2)
order by stream_id, version
limit $3
"""
"""The events after a version of a stream, stream by stream."""

BEGIN_IMPORT = """
update log_head set importing = $1::jsonb
where importing is null and position = 0
  and not exists (select from events)
  and not exists (select from streams)
  and not exists (select from claims)
  and not exists (select from receipts)
  and not exists (select from snapshots)
"""
"""Marks an empty log as being imported."""

IMPORT_PLACE = """
select importing = $1::jsonb as is_this,
       coalesce((select max(position) from events), 0) as position,
       coalesce((select max(stream_id) from streams), '') as stream_id,
       coalesce((select sum(version) from streams), 0) as folded
from log_head
where importing is not null
"""
"""How far an import has come, and whether it is this one; no row if there is none."""

IMPORTED_UP_TO = """
select from log_head
where importing is not null and coalesce((select max(position) from events), 0) = $1
for share
"""
"""A row if an import has come to a position; until the end of the transaction it stays so."""

ADD_STREAMS = """
with claimed as (
    insert into claims (scope, key, stream_id)
    select * from unnest($3::text[], $4::text[], $5::text[])
    where exists (select from log_head where importing is not null)
)
insert into streams (stream_id, type, version)
select added.stream_id, split_part(added.stream_id, '-', 1), added.version
from unnest($1::text[], $2::integer[]) as added (stream_id, version)
where exists (select from log_head where importing is not null)
returning 1
"""
"""Records streams and their claims."""

HOLDERS = """
select claims.scope, claims.key, claims.stream_id
from unnest($1::text[], $2::text[]) as wanted (scope, key)
join claims using (scope, key)
"""
"""Which streams hold claims."""

FINISH_IMPORT = """
with identified as (
    update log_identity set identity = $1::text::uuid
    where exists (select from log_head where importing is not null)
)
update log_head
set (position, recorded_at, importing) = (
    select coalesce(max(position), 0), coalesce(max(recorded_at), '-infinity'), null::jsonb
    from (select position, recorded_at from events order by position desc limit 1) last_event
)
where importing is not null
returning 1
"""
"""Makes what was imported the log, of this identity."""

DISCARD_IMPORT = """
do $$ begin
    perform from log_head where importing is not null for update;
    if found then
        truncate events, streams, claims, receipts, snapshots;
        update log_head set importing = null;
    end if;
end $$
"""
"""Empties the log again."""
