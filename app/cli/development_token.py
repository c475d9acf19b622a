"""`token`: a bearer token for development."""

import sys
from typing import Annotated

import typer

from app.adapters.identity import is_subject
from app.bootstrap import ADMINISTRATOR, all_scopes, development_token
from app.host.settings import Settings


def run(
    *,
    subject: Annotated[
        str, typer.Option(metavar="NAME", help="Whose token, and the id of the profile it owns.")
    ] = ADMINISTRATOR,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="SCOPES", help="What it allows, with spaces between; else everything."
        ),
    ] = None,
) -> int:
    """Print a token for a service on this machine that is its own issuer, and nothing else.

    That is a service on loopback without AUTH and AUTH_ISSUERS. The token is valid for 12 hours,
    at services with the same DATA_DIR only.
    """
    if not is_subject(subject):
        raise typer.BadParameter("a subject has 1 to 255 visible characters")
    scopes = all_scopes() if scope is None else frozenset(scope.split())
    unknown = sorted(scopes - all_scopes())
    if unknown:
        known = ", ".join(sorted(all_scopes()))
        raise typer.BadParameter(f"there is no scope {', '.join(unknown)}, but {known}")
    sys.stdout.write(f"{development_token(Settings.load(), subject, scopes)}\n")
    return 0
