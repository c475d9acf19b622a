"""The SQL of API keys; each statement is a transaction of its own.

A change gives the list a new version in the same transaction, and locks it: changes take turns.
The version comes from the clock, so that it grows over a restore of an earlier backup as well, when
copies in MongoDB have later versions than the list.
"""

_NEXT_VERSION = """
update api_key_list
set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
where is_list
returning 1
"""

_DETAILS = "id, name, scopes, created_at, expires_at, revoked_at, last_used_at"

RENEW_KEYS = """
update api_key_list
set version = greatest(version, $1, (extract(epoch from clock_timestamp()) * 1000000)::bigint) + 1
where is_list
"""
"""Gives the list a new version, higher than another."""

ADD_KEY = f"""
with changed as ({_NEXT_VERSION})
insert into api_keys (id, digest, name, scopes, created_at, expires_at)
select $1, $2, $3, $4::text[], now(), now() + $5::interval
from changed
returning {_DETAILS}
"""  # noqa: S608 - constants
"""Adds a key; it never expires if the interval is null."""

REVOKE_KEY = f"""
with changed as ({_NEXT_VERSION})
update api_keys set revoked_at = coalesce(revoked_at, now())
from changed
where id = $1
returning {_DETAILS}
"""  # noqa: S608 - constants
"""Revokes a key; no row if there is none of this id."""

READ_KEYS = """
select identity::text as log, version, key.*
from api_key_list
cross join log_identity
left join lateral (
    select id, digest, scopes, expires_at, revoked_at is not null as is_revoked
    from api_keys
    where (identity::text, api_key_list.version) <> ($1, $2)
) key on true
where is_list and is_identity
order by id
"""
"""The list, unless its log and version are known: then one row, without a key. One snapshot, so the
version is that of the keys."""

KEY_DETAILS = f"select {_DETAILS} from api_keys order by created_at, id"  # noqa: S608 - a constant
"""All keys, for operators."""

SAVE_USES = """
update api_keys set last_used_at = clock_timestamp()
where id = any($1::text[])
  and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
"""
"""Records uses, of a key at most once a minute over all processes. The list keeps its version."""
