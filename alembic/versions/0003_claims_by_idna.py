"""Claims of addresses in domains that IDNA 2008 tells apart and case folding did not."""

import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LETTERS = "ßς"

HEAD = sa.text("select position from log_head")

# Appends wait for the lock, and hold it until they are committed.
HEAD_LOCKED = sa.text("select position from log_head for update")

STREAMS = sa.text(
    f"select distinct stream_id from events where data ->> 'email' ~ '@.*[{LETTERS}]'"  # noqa: S608
    " and stream_id like 'user-%' and position > :after"
)

ADDRESS = sa.text(
    "select data ->> 'email' from events where stream_id = :stream and data ->> 'email' is not null"
    " order by version desc limit 1"
)

REKEY = sa.text(
    "update claims set key = :new"
    " where scope = 'email' and key = :old and stream_id = :stream"
    " and not exists (select from claims where scope = 'email' and key = :new)"
)


def folded(address: str) -> str:
    """The key of an address until now."""
    return unicodedata.normalize("NFC", address.casefold())


def by_idna(address: str) -> str:
    """The key of an address from now on."""
    local, at, domain = address.rpartition("@")
    kept = "".join(each if each in LETTERS else each.casefold() for each in domain)
    return unicodedata.normalize("NFC", f"{local.casefold()}{at}{kept}")


def upgrade() -> None:
    rekey(folded, by_idna)


def downgrade() -> None:
    # A claim stays as it is where the other address has been registered meanwhile.
    rekey(by_idna, folded)


def rekey(old: Callable[[str], str], new: Callable[[str], str]) -> None:
    connection = op.get_bind()
    # The whole log is looked through while appends go on, and what came meanwhile under the lock.
    head = connection.scalar(HEAD)
    streams = {*connection.scalars(STREAMS, {"after": 0})}
    connection.execute(HEAD_LOCKED)
    streams |= {*connection.scalars(STREAMS, {"after": head})}
    for stream in streams:
        address = connection.scalar(ADDRESS, {"stream": stream})
        keys = {"old": old(address), "new": new(address), "stream": stream}
        if keys["old"] != keys["new"]:
            connection.execute(REKEY, keys)
