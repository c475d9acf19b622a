"""The event store: the log, its streams, claims, and the function that appends to them."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EVENTS = """
create table events (
    position        bigint primary key,
    stream_id       text collate "C" not null,
    version         integer not null,
    type            text not null,
    schema_version  integer not null,
    data            jsonb not null,
    metadata        jsonb not null,
    recorded_at     timestamptz not null,
    constraint events_stream_version unique (stream_id, version)
)
"""

STREAMS = """
create table streams (
    stream_id  text collate "C" primary key,
    type       text not null,
    version    integer not null
) with (fillfactor = 85)
"""

CLAIMS = """
create table claims (
    scope      text collate "C" not null,
    key        text collate "C" not null,
    stream_id  text collate "C" not null,
    primary key (scope, key)
)
"""

# Which commands were carried out under an idempotency key, and where their streams stood then.
RECEIPTS = """
create table receipts (
    key          text collate "C" primary key,
    fingerprint  text not null,
    stream_id    text collate "C" not null,
    version      integer not null,
    recorded_at  timestamptz not null
)
"""

RECEIPTS_BY_AGE = "create index receipts_recorded_at on receipts (recorded_at)"

# The state of a stream as of a version, so that a load need not begin with its first event.
SNAPSHOTS = """
create table snapshots (
    stream_id    text collate "C" primary key,
    version      integer not null,
    position     bigint not null,
    edition      integer not null,
    data         jsonb not null,
    recorded_at  timestamptz not null
) with (fillfactor = 70)
"""

# One row: what is appended next goes after it. Its lock puts all appends into one line, so
# that positions are dense and become visible in their order.
LOG_HEAD = """
create table log_head (
    is_head      boolean primary key default true check (is_head),
    position     bigint not null,
    recorded_at  timestamptz not null
)
"""

FIRST_HEAD = "insert into log_head (position, recorded_at) values (0, '-infinity')"

APPEND_EVENTS = """
create function append_events(items jsonb)
returns table (
    outcome text, at_version integer, at_position bigint, at_time timestamptz,
    claim_scope text, claim_key text, done_as text, done_on text
)
language plpgsql
as $$
-- items: [{"stream_id", "expected_version", "metadata",
--          "events": [{"type", "schema_version", "data"}, ...],
--          "claims": [{"scope", "key"}, ...], "releases": [{"scope", "key"}, ...],
--          "idempotency_key": {"value", "fingerprint"},
--          "snapshot": {"edition", "data"}}, ...]
-- One row for each item, in their order; an item that is refused changes nothing and leaves
-- its neighbours alone:
--   appended     at_version, at_position, at_time: of its last event
--   conflict     at_version: where its stream is
--   claim-taken  claim_scope, claim_key: what another stream holds
--   duplicate    done_as, done_on, at_version: the fingerprint, stream and version that are
--                recorded under its idempotency key
-- Under the lock of log_head nothing that is checked here can change before the commit.
declare
    item     jsonb;
    claim    jsonb;
    stream   text;
    repeated text;
    current  integer;
    added    integer;
    head     bigint;
    started  bigint;
    now_at   timestamptz;
begin
    select h.position, greatest(h.recorded_at, date_trunc('milliseconds', clock_timestamp()))
        into head, now_at
        from log_head h for update;
    started := head;
    for item in select value from jsonb_array_elements(items) loop
        stream := item ->> 'stream_id';
        repeated := item #>> '{idempotency_key,value}';
        outcome := null; at_version := null; at_position := null; at_time := null;
        claim_scope := null; claim_key := null; done_as := null; done_on := null;

        if repeated is not null then
            select r.fingerprint, r.stream_id, r.version into done_as, done_on, at_version
                from receipts r where r.key = repeated;
            if found then
                outcome := 'duplicate';
                return next;
                continue;
            end if;
        end if;

        select s.version into current from streams s where s.stream_id = stream;
        current := coalesce(current, 0);
        if current <> (item ->> 'expected_version')::integer then
            outcome := 'conflict';
            at_version := current;
            return next;
            continue;
        end if;

        -- Claims go one by one: joined as a set, the planner may scan the whole table.
        for claim in select value from jsonb_array_elements(item -> 'claims') loop
            if exists (
                select from claims c
                    where c.scope = claim ->> 'scope' and c.key = claim ->> 'key'
                      and c.stream_id <> stream
            ) then
                outcome := 'claim-taken';
                claim_scope := claim ->> 'scope';
                claim_key := claim ->> 'key';
                exit;
            end if;
        end loop;
        if outcome is not null then
            return next;
            continue;
        end if;

        insert into events
            select head + e.ordinality, stream, current + e.ordinality,
                   e.value ->> 'type', (e.value ->> 'schema_version')::integer,
                   e.value -> 'data', item -> 'metadata', now_at
                from jsonb_array_elements(item -> 'events') with ordinality e;
        get diagnostics added = row_count;
        head := head + added;

        if added = 0 then
            null;
        elsif current = 0 then
            insert into streams values (stream, split_part(stream, '-', 1), added);
        else
            update streams s set version = current + added where s.stream_id = stream;
        end if;
        for claim in select value from jsonb_array_elements(item -> 'releases') loop
            delete from claims c
                where c.scope = claim ->> 'scope' and c.key = claim ->> 'key'
                  and c.stream_id = stream;
        end loop;
        for claim in select value from jsonb_array_elements(item -> 'claims') loop
            insert into claims values (claim ->> 'scope', claim ->> 'key', stream)
                on conflict do nothing;
        end loop;

        if repeated is not null then
            insert into receipts values (
                repeated, item #>> '{idempotency_key,fingerprint}', stream, current + added, now_at
            );
        end if;

        if item ? 'snapshot' then
            insert into snapshots values (
                stream, current + added, head,
                (item #>> '{snapshot,edition}')::integer, item #> '{snapshot,data}', now_at
            ) on conflict (stream_id) do update
                set version = excluded.version, position = excluded.position,
                    edition = excluded.edition, data = excluded.data,
                    recorded_at = excluded.recorded_at;
        end if;

        outcome := 'appended';
        at_version := current + added;
        at_position := head;
        at_time := now_at;
        return next;
    end loop;
    if head > started then
        update log_head set position = head, recorded_at = now_at;
    end if;
end
$$
"""


def upgrade() -> None:
    for statement in (
        EVENTS,
        STREAMS,
        CLAIMS,
        RECEIPTS,
        RECEIPTS_BY_AGE,
        SNAPSHOTS,
        LOG_HEAD,
        FIRST_HEAD,
        APPEND_EVENTS,
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function append_events")
    op.execute("drop table log_head, snapshots, receipts, claims, streams, events")
    # A later revision leaves it behind; another log must not take it for its own.
    op.execute("drop table if exists log_identity")
