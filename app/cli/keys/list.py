"""`keys list`: all API keys, without anything secret."""

from dataclasses import asdict
from datetime import UTC, datetime

from app.cli.keys.storing import with_stored_keys
from app.cli.output import AsJson, Cell, print_json, print_table
from app.cli.projections.operating import time_of
from app.framework.security.api_keys import KeyDetails

_HEADINGS = ("ID", "NAME", "CREATED", "EXPIRES", "LAST USED", "STATE", "SCOPES")


def run(*, as_json: AsJson = False) -> int:
    """Show all API keys: their names, scopes and times. The keys themselves are stored nowhere.

    LAST USED is up to two minutes late, and leaves out uses in processes without PostgreSQL.
    """
    found = with_stored_keys(lambda store: store.details())
    now = datetime.now(UTC)
    if as_json:
        print_json({"items": [{**asdict(each), "state": _state(each, now)} for each in found]})
    else:
        print_table(_HEADINGS, [_row(each, now) for each in found])
    return 0


def _row(key: KeyDetails, now: datetime) -> tuple[Cell, ...]:
    times = (key.created_at, key.expires_at, key.last_used_at)
    return (key.id, key.name, *map(time_of, times), _state(key, now), " ".join(key.scopes))


def _state(key: KeyDetails, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "valid"
