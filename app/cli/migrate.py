"""`migrate`: the schema of PostgreSQL, up to date."""

import sys

from app.adapters.postgres import migrate
from app.cli.databases import shared_databases
from app.framework.observability import logs
from app.host.settings import Role, Settings


def run() -> int:
    """Bring the schema of the PostgreSQL at DATABASE_URL, or of the embedded one, up to date.

    Running it again does no harm.
    """
    settings = Settings.load().model_copy(update={"roles": frozenset({Role.COMMANDS})})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    with shared_databases(settings) as ready:
        assert ready.database_url
        migrate(ready.database_url)
    sys.stdout.write("The schema is up to date.\n")
    return 0
