"""The function that appends gets its version into its name; the old name calls it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

VERSIONED = "alter function append_events(jsonb) rename to append_events_v1"

# Processes of earlier versions go on to call the function by this name.
UNVERSIONED = """
create function append_events(items jsonb)
returns table (
    outcome text, at_version integer, at_position bigint, at_time timestamptz,
    claim_scope text, claim_key text, done_as text, done_on text
)
language sql
as 'select * from append_events_v1(items)'
"""


def upgrade() -> None:
    op.execute(VERSIONED)
    op.execute(UNVERSIONED)


def downgrade() -> None:
    op.execute("drop function append_events(jsonb)")
    op.execute("alter function append_events_v1(jsonb) rename to append_events")
