"""The function that appends, by sets: one statement for each table, where items allow it.

`append_events_v1` stays for processes of earlier versions: both lock `log_head` first, and may run
at once.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "functions"


def upgrade() -> None:
    for name in ("append_set_v2", "append_events_v2"):
        op.get_bind().exec_driver_sql((FUNCTIONS / f"{name}.sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute("drop function append_events_v2")
    op.execute("drop function append_set_v2")
