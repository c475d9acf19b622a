"""A mark on the head of a log that is being imported: until it is complete nothing is appended."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What is being imported: {"identity", "position"}, of the log in the file; null otherwise. The
# head stays at 0 until the import is complete, so readers see all of it or nothing.
MARK = "alter table log_head add column importing jsonb"
NO_MARK = "alter table log_head drop column importing"

# Processes of earlier versions call the function, too. They take this error for a PostgreSQL that
# is read-only for now.
REFUSAL = """
    if head is null then
        raise read_only_sql_transaction using message = 'a log is being imported';
    end if;"""
CHANGES = (
    ("select h.position, ", "select case when h.importing is null then h.position end, "),
    ("started := head;", f"{REFUSAL.strip()}\n    started := head;"),
)

DEFINITION = sa.text("select pg_get_functiondef('append_events_v1(jsonb)'::regprocedure)")


def upgrade() -> None:
    op.execute(MARK)
    change_function(CHANGES)


def downgrade() -> None:
    change_function([(new, old) for old, new in CHANGES])
    op.execute(NO_MARK)


def change_function(changes: Sequence[tuple[str, str]]) -> None:
    """Replace the first text of each pair by the second, in the function that appends."""
    definition = op.get_bind().scalar(DEFINITION)
    for old, new in changes:
        assert definition.count(old) == 1, f"append_events_v1 has not one {old!r}"
        definition = definition.replace(old, new)
    op.get_bind().exec_driver_sql(definition)
