create function append_set_v2(items jsonb, head bigint, now_at timestamptz)
returns table (
    outcome text, at_version integer, at_position bigint, at_time timestamptz,
    claim_scope text, claim_key text, done_as text, done_on text
)
language plpgsql
as $$
-- Appends the items of append_events_v2, which holds the lock of log_head at the position "head",
-- with one statement for each table. Answers no row, and changes nothing, if an item depends on
-- another: if two have one stream, one idempotency key, or one claim to take or to release.
--
-- Rows are looked up with "lateral" and "limit 1", which makes the planner use an index for each:
-- joined as sets, it may scan the whole table.
declare
    started        constant bigint := head;
    -- An element for each item, in their order.
    streams        text[];
    expected       integer[];
    versions       integer[];
    added          integer[];
    events         jsonb[];
    metadata       jsonb[];
    fingerprints   text[];
    done_streams   text[];
    done_versions  integer[];
    taken_scopes   text[];
    taken_keys     text[];
    positions      bigint[];
    -- How many items have them.
    with_keys      bigint;
    with_claims    bigint;
    with_releases  bigint;
    with_snapshots bigint;
    depend         boolean;
begin
    select array_agg(i.stream_id order by i.item),
           array_agg(i.expected_version order by i.item),
           array_agg(coalesce(s.version, 0) order by i.item),
           array_agg(coalesce(jsonb_array_length(i.events), 0) order by i.item),
           array_agg(i.events order by i.item),
           array_agg(i.metadata order by i.item),
           count(distinct i.stream_id collate "C") < count(*),
           count(i.idempotency_key), count(i.claims), count(i.releases), count(i.snapshot)
        into streams, expected, versions, added, events, metadata,
             depend, with_keys, with_claims, with_releases, with_snapshots
        from rows from (jsonb_to_recordset(items) as (
            stream_id text, expected_version integer, events jsonb, metadata jsonb,
            idempotency_key jsonb, claims jsonb, releases jsonb, snapshot jsonb
        )) with ordinality as i (
            stream_id, expected_version, events, metadata,
            idempotency_key, claims, releases, snapshot, item
        )
        left join lateral (
            select s.version from streams s where s.stream_id = i.stream_id limit 1
        ) s on true;

    if not depend and with_keys > 1 then
        depend := exists (
            select from jsonb_to_recordset(items) as i (idempotency_key jsonb)
            where i.idempotency_key is not null
            group by (i.idempotency_key ->> 'value') collate "C"
            having count(*) > 1
        );
    end if;
    if not depend and with_claims + with_releases > 1 then
        depend := exists (
            select from jsonb_to_recordset(items) as i (claims jsonb, releases jsonb)
            cross join lateral (
                select * from jsonb_to_recordset(i.claims) as c (scope text, key text)
                union all
                select * from jsonb_to_recordset(i.releases) as r (scope text, key text)
            ) c
            group by c.scope collate "C", c.key collate "C"
            having count(*) > 1
        );
    end if;
    if depend then
        return;
    end if;

    if with_keys > 0 then
        select array_agg(r.fingerprint order by i.item),
               array_agg(r.stream_id order by i.item),
               array_agg(r.version order by i.item)
            into fingerprints, done_streams, done_versions
            from rows from (jsonb_to_recordset(items) as (idempotency_key jsonb))
                with ordinality as i (idempotency_key, item)
            left join lateral (
                select * from receipts r where r.key = i.idempotency_key ->> 'value' limit 1
            ) r on true;
    end if;
    if with_claims > 0 then
        select array_agg(taken.scope order by i.item), array_agg(taken.key order by i.item)
            into taken_scopes, taken_keys
            from rows from (jsonb_to_recordset(items) as (stream_id text, claims jsonb))
                with ordinality as i (stream_id, claims, item)
            left join lateral (
                select c.scope, c.key
                from rows from (jsonb_to_recordset(i.claims) as (scope text, key text))
                    with ordinality as c (scope, key, number)
                cross join lateral (
                    select from claims h
                    where h.scope = c.scope and h.key = c.key and h.stream_id <> i.stream_id
                    limit 1
                ) held
                order by c.number
                limit 1
            ) taken on true;
    end if;

    -- The position of a refused item stays null, and what follows passes over it.
    positions := array_fill(null::bigint, array[cardinality(streams)]);
    for n in 1 .. cardinality(streams) loop
        outcome := null; at_version := null; at_position := null; at_time := null;
        claim_scope := null; claim_key := null; done_as := null; done_on := null;
        if fingerprints[n] is not null then
            outcome := 'duplicate';
            done_as := fingerprints[n];
            done_on := done_streams[n];
            at_version := done_versions[n];
        elsif versions[n] <> expected[n] then
            outcome := 'conflict';
            at_version := versions[n];
        elsif taken_keys[n] is not null then
            outcome := 'claim-taken';
            claim_scope := taken_scopes[n];
            claim_key := taken_keys[n];
        else
            head := head + added[n];
            positions[n] := head;
            versions[n] := versions[n] + added[n];
            outcome := 'appended';
            at_version := versions[n];
            at_position := head;
            at_time := now_at;
        end if;
        return next;
    end loop;

    if head > started then
        insert into events
            select i.position - i.added + e.ordinality, i.stream_id,
                   i.version - i.added + e.ordinality,
                   e.value ->> 'type', (e.value ->> 'schema_version')::integer,
                   e.value -> 'data', i.metadata, now_at
                from unnest(positions, streams, versions, added, events, metadata)
                    as i (position, stream_id, version, added, events, metadata)
                cross join lateral jsonb_array_elements(i.events) with ordinality e
                where i.position is not null;
        insert into streams
            select i.stream_id, split_part(i.stream_id, '-', 1), i.version
                from unnest(positions, streams, versions, added)
                    as i (position, stream_id, version, added)
                where i.position is not null and i.added > 0
            on conflict (stream_id) do update set version = excluded.version;
        update log_head set position = head, recorded_at = now_at;
    end if;
    if with_releases > 0 then
        delete from claims c where c.ctid = any (array(
            select held.ctid
                from rows from (
                    jsonb_to_recordset(items) as (releases jsonb), unnest(positions, streams)
                ) as i (releases, position, stream_id)
                cross join lateral jsonb_to_recordset(i.releases) as r (scope text, key text)
                cross join lateral (
                    select h.ctid from claims h
                    where h.scope = r.scope and h.key = r.key and h.stream_id = i.stream_id
                    limit 1
                ) held
                where i.position is not null
        ));
    end if;
    if with_claims > 0 then
        insert into claims
            select c.scope, c.key, i.stream_id
                from rows from (
                    jsonb_to_recordset(items) as (claims jsonb), unnest(positions, streams)
                ) as i (claims, position, stream_id)
                cross join lateral jsonb_to_recordset(i.claims) as c (scope text, key text)
                where i.position is not null
            on conflict do nothing;
    end if;
    if with_keys > 0 then
        insert into receipts
            select i.idempotency_key ->> 'value', i.idempotency_key ->> 'fingerprint',
                   i.stream_id, i.version, now_at
                from rows from (
                    jsonb_to_recordset(items) as (idempotency_key jsonb),
                    unnest(positions, streams, versions)
                ) as i (idempotency_key, position, stream_id, version)
                where i.position is not null and i.idempotency_key is not null;
    end if;
    if with_snapshots > 0 then
        insert into snapshots
            select i.stream_id, i.version, i.position,
                   (i.snapshot ->> 'edition')::integer, i.snapshot -> 'data', now_at
                from rows from (
                    jsonb_to_recordset(items) as (snapshot jsonb),
                    unnest(positions, streams, versions)
                ) as i (snapshot, position, stream_id, version)
                where i.position is not null and i.snapshot is not null
            on conflict (stream_id) do update
                set version = excluded.version, position = excluded.position,
                    edition = excluded.edition, data = excluded.data,
                    recorded_at = excluded.recorded_at;
    end if;
end
$$
