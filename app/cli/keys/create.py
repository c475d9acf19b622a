"""`keys create`: a new API key, which is printed once and stored nowhere."""

import sys
from datetime import timedelta
from typing import Annotated

import typer

from app.adapters.identity import digest_of, id_of, new_key
from app.bootstrap import all_scopes
from app.cli.auditing import audited
from app.cli.keys.storing import Databases, explain, with_databases
from app.framework.security.api_keys import ApiKey, KeyDetails

NAME_LIMIT = 100

_MOST_DAYS = 3650


def run(
    *,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the key is for, to find it again.")
    ],
    scope: Annotated[
        str,
        typer.Option("--scope", metavar="SCOPES", help="What it allows, with spaces between."),
    ],
    expires_in: Annotated[
        int | None,
        typer.Option(
            "--expires-in",
            metavar="DAYS",
            min=1,
            max=_MOST_DAYS,
            help="When it expires; else it never does.",
        ),
    ] = None,
) -> int:
    """Make an API key, and print it, and nothing else, on standard output.

    It is shown this once: the databases have only a digest of it. A running service takes it within
    2 seconds. It owns no profile, so scopes for one's own profile allow it nothing.
    """
    _check_name(name)
    scopes = _known(scope)
    key = new_key()
    made = ApiKey(id=id_of(key), digest=digest_of(key), scopes=scopes)
    valid_for = None if expires_in is None else timedelta(days=expires_in)

    async def work(databases: Databases) -> tuple[KeyDetails, str | None]:
        details = await databases.store.add(made, name, valid_for=valid_for)
        return details, await databases.update_copy()

    with audited("keys", "create_key", {"key_id": made.id}):
        details, failure = with_databases(work)
    sys.stdout.write(f"{key}\n")
    until = details.expires_at
    expires = "never expires" if until is None else f"expires on {until:%Y-%m-%d}"
    explain(f"This is the only time that key {made.id} ({name}) is shown; it {expires}.")
    if failure is None:
        return 0
    explain(
        f"It is in PostgreSQL, but not in MongoDB: {failure}. Processes without PostgreSQL refuse "
        "it until a projector has copied it there, or `python -m app keys sync`."
    )
    return 1


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise typer.BadParameter(f"a name has 1 to {NAME_LIMIT} visible characters")


def _known(text: str) -> frozenset[str]:
    scopes = frozenset(text.split())
    known = ", ".join(sorted(all_scopes()))
    if not scopes:
        raise typer.BadParameter(f"a key needs a scope; there are {known}")
    if unknown := ", ".join(sorted(scopes - all_scopes())):
        raise typer.BadParameter(f"there is no scope {unknown}; there are {known}")
    return scopes
