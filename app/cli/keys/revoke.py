"""`keys revoke`: an API key is refused from now on."""

import re
from typing import Annotated

import typer

from app.adapters.identity import ID_FORM
from app.cli.auditing import audited
from app.cli.keys.storing import Databases, explain, with_databases
from app.framework.security.api_keys import KeyDetails


class NoSuchKey(typer.TyperException):
    """There is no key of this id."""


def run(
    key_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="The id of the key, the second part of it."),
    ],
) -> int:
    """Revoke an API key for good: every process refuses it within 5 seconds.

    Running it again does no harm, and completes what was interrupted.
    """
    if not re.fullmatch(ID_FORM, key_id):
        # Not shown: it may be a key.
        raise typer.BadParameter("an id has 10 digits and small letters; `keys list` shows them")

    async def work(databases: Databases) -> tuple[KeyDetails, str | None]:
        details = await databases.store.revoke(key_id)
        # Also of an unknown key: MongoDB may have it, if PostgreSQL was restored from a backup.
        failure = await databases.update_copy()
        if details is None:
            raise _no_such_key(key_id, failure)
        return details, failure

    with audited("keys", "revoke_key", {"key_id": key_id}):
        details, failure = with_databases(work)
    if failure is None:
        explain(f"Key {key_id} ({details.name}) is revoked.")
        return 0
    explain(
        f"Key {key_id} ({details.name}) is revoked in PostgreSQL, but not in MongoDB: {failure}. "
        "Processes without PostgreSQL accept it until a projector has copied that, or this command "
        "is run again."
    )
    return 1


def _no_such_key(key_id: str, failure: str | None) -> NoSuchKey:
    if failure is None:
        return NoSuchKey(f"There is no key {key_id}; `python -m app keys list` shows all.")
    return NoSuchKey(f"There is no key {key_id} in PostgreSQL; MongoDB may have it: {failure}.")
