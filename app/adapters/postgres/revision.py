"""The revision of the schema, and whether it is one of ours.

It is in a table of our own name, as alembic's default, `alembic_version`, may belong to another
application. Our revisions have four digits: an unknown one with a higher number belongs to a newer
version of the app, and this version can run beside it.
"""

import re

from app import IDENTIFIER

REVISION_TABLE = f"{IDENTIFIER}_revision"

REVISIONS = f"select version_num from {REVISION_TABLE}"  # noqa: S608 - a constant
"""One row, or none of a schema that was taken back."""

OLD_REVISIONS = """
select version_num from alembic_version
where to_regclass('log_head') is not null and to_regprocedure('append_events(jsonb)') is not null
"""
"""As REVISIONS, where the version before migrated last. No rows where the schema is not there:
then the table is another application's."""

_OURS = re.compile(r"\d{4}")


def is_ours(revision: str) -> bool:
    """Whether `revision` is from this app, also from a newer version."""
    return _OURS.fullmatch(revision) is not None
