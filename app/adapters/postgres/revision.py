"""Which revision the schema is at, and whether it is one of ours.

It stands in a table of our own name: `alembic_version`, alembic's default, may be another
application's. Our revisions are numbered in four digits, so one that is not known here and has a
higher number is of a newer version of the app, beside which this one goes on to run.
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
    """Whether a version of this app, be it a newer one, may have left `revision` behind."""
    return _OURS.fullmatch(revision) is not None
