"""`keys sync`: the list of API keys, written to MongoDB again."""

from app.cli.auditing import audited
from app.cli.keys.storing import Databases, explain, with_databases


def run() -> int:
    """Write the list of API keys in PostgreSQL to MongoDB, also over a later one.

    Projectors do so as well, but leave a list of a later version as it is. After PostgreSQL was
    restored from a backup, the one in MongoDB has such a version.
    """
    with audited("keys", "sync_keys"):
        with_databases(Databases.replace_copy)
    explain("The list of API keys in MongoDB is that in PostgreSQL.")
    return 0
