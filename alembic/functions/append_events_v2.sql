create function append_events_v2(items jsonb)
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
    -- A set costs more to begin with than an item, and less for each.
    least_set constant integer := 10;
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
    select case when h.importing is null then h.position end,
           greatest(h.recorded_at, date_trunc('milliseconds', clock_timestamp()))
        into head, now_at
        from log_head h for update;
    if head is null then
        raise read_only_sql_transaction using message = 'a log is being imported';
    end if;

    if jsonb_array_length(items) >= least_set then
        return query select * from append_set_v2(items, head, now_at);
        if found then
            return;
        end if;
    end if;

    started := head;
    for n in 0 .. jsonb_array_length(items) - 1 loop
        item := items -> n;
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

        if item ? 'claims' then
            -- "lateral" with "limit 1" makes the planner use an index for each claim: joined as a
            -- set, it may scan the whole table.
            select c.scope, c.key into claim_scope, claim_key
                from rows from (jsonb_to_recordset(item -> 'claims') as (scope text, key text))
                    with ordinality as c (scope, key, number)
                cross join lateral (
                    select from claims h
                    where h.scope = c.scope and h.key = c.key and h.stream_id <> stream
                    limit 1
                ) held
                order by c.number
                limit 1;
            if found then
                outcome := 'claim-taken';
                return next;
                continue;
            end if;
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

        if item ? 'releases' then
            for claim in select value from jsonb_array_elements(item -> 'releases') loop
                delete from claims c
                    where c.scope = claim ->> 'scope' and c.key = claim ->> 'key'
                      and c.stream_id = stream;
            end loop;
        end if;
        if item ? 'claims' then
            insert into claims
                select c.scope, c.key, stream
                    from jsonb_to_recordset(item -> 'claims') as c (scope text, key text)
                on conflict do nothing;
        end if;

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
