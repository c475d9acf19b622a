"""Clocks of event stores that a test puts wrong: PostgreSQL's own for one database, or memory's."""

from datetime import UTC, datetime, timedelta

import asyncpg

# PostgreSQL looks for functions where the search path says, so the statements and functions under
# test are as they are anywhere else.
_CLOCK = """
create schema clock;
create table clock.skew (by interval not null);
insert into clock.skew values ('0');
create function clock.clock_timestamp() returns timestamptz language sql volatile as
    'select pg_catalog.clock_timestamp() + by from clock.skew';
do $$ begin
    execute format('alter database %I set search_path = clock, pg_catalog, public',
                   current_database());
end $$
"""


class Clock:
    """A clock that can be put forward and back."""

    def __init__(self, connection: asyncpg.Connection | None) -> None:
        """That of the database of `connection`, for all that connect later; else for memory."""
        self._connection = connection
        self._skew = timedelta(0)

    async def install(self) -> None:
        """Have the database look at this clock."""
        if self._connection:
            await self._connection.execute(_CLOCK)

    async def put_ahead(self, by: timedelta) -> None:
        """Have it be `by` ahead of the real time; back for less than nothing."""
        self._skew = by
        if self._connection:
            await self._connection.execute("update clock.skew set by = $1", by)

    def now(self) -> datetime:
        """The time it shows."""
        return datetime.now(UTC) + self._skew
