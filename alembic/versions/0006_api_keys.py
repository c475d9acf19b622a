"""API keys, of which only digests are stored, and the version of their list."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A key is 178 random bits: its plain SHA-256 digest cannot be turned back by trying.
API_KEYS = """
create table api_keys (
    id            text collate "C" primary key,
    digest        bytea not null check (octet_length(digest) = 32),
    name          text not null,
    scopes        text[] not null,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
)
"""

# One row: the version of the list, which a change of it raises. Its lock puts changes into one
# line. Processes compare it with theirs before they read the list, and copies in MongoDB have it.
API_KEY_LIST = """
create table api_key_list (
    is_list  boolean primary key default true check (is_list),
    version  bigint not null
)
"""

FIRST_LIST = "insert into api_key_list (version) values (0)"


def upgrade() -> None:
    for statement in (API_KEYS, API_KEY_LIST, FIRST_LIST):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table api_key_list")
    op.execute("drop table api_keys")
