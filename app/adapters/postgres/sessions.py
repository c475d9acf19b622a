"""Sessions with PostgreSQL, directly or through a pooler such as PgBouncer."""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any

import asyncpg

ANSWER_SECONDS = 4.0
"""The timeout for connecting and for one statement: a caller gets an error within 5 s."""

_SETTINGS = {
    # Every statement must use an index, for all arguments and also while a table is small. By
    # default PostgreSQL plans the look-up of a stream each time, which takes longer than the
    # look-up itself, and a plan made once for a small table scans it. Up to PostgreSQL 17 a
    # disabled scan counts as expensive, and expensive plans would be compiled.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
    # Otherwise a statement that the client has given up would wait, and run later.
    "lock_timeout": "3500ms",
    "statement_timeout": "3900ms",
}

_SESSION = {
    **_SETTINGS,
    # An append that waited for the lock of log_head must see the commits of that time.
    "default_transaction_isolation": "read committed",
    # Keeps idle connections known to a NAT or a balancer.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

_TRANSACTION = {**_SETTINGS, "idle_in_transaction_session_timeout": "5s"}
"""A process that hangs within a transaction must not keep the lock of log_head."""

_BEGIN = "begin isolation level read committed" + "".join(
    f"; set local {name} = '{value}'" for name, value in _TRANSACTION.items()
)

_logger = logging.getLogger(__name__)


def _set_up(pid: int) -> str:
    """Sets all of _SESSION if the server process is `pid`, else nothing; selects a row for each."""
    rows = ", ".join(f"('{name}', '{value}')" for name, value in _SESSION.items())
    return (
        f"select set_config(name, value, false) from (values {rows}) as settings (name, value) "  # noqa: S608 - constants
        f"where pg_backend_pid() = {pid}"
    )


class Session:
    """A session with PostgreSQL, for one statement at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", *, pooled: bool) -> None:
        self._connection = connection
        self._pooled = pooled
        self.is_closed = connection.is_closed

    def fetch(
        self, statement: str, arguments: Sequence[Any]
    ) -> Coroutine[Any, Any, Sequence[asyncpg.Record]]:
        """The rows of `statement`, after its commit."""
        if self._pooled:
            return self._fetch_in_transaction(statement, arguments)
        return self._connection.fetch(statement, *arguments)

    async def _fetch_in_transaction(
        self, statement: str, arguments: Sequence[Any]
    ) -> Sequence[asyncpg.Record]:
        await self._connection.execute(_BEGIN)
        rows = await self._connection.fetch(statement, *arguments)
        await self._connection.execute("commit")
        return rows

    async def try_out(
        self, statement: str, arguments: Sequence[Any], *, lock_seconds: float
    ) -> None:
        """Execute `statement` and roll it back; wait for locks for at most `lock_seconds`."""
        milliseconds = round(lock_seconds * 1000)
        await self._connection.execute(f"{_BEGIN}; set local lock_timeout = {milliseconds}")
        await self._connection.fetch(statement, *arguments)
        await self._connection.execute("rollback")

    async def copy(
        self, table: str, records: Sequence[Any], given: str, arguments: Sequence[Any]
    ) -> bool:
        """Add `records` to `table` if the statement `given` has a row, in one transaction.

        It is on disk once a later transaction, by another method, is; until then a crash of
        PostgreSQL may undo it, and all after it.
        """
        await self._connection.execute(f"{_BEGIN}; set local synchronous_commit = off")
        is_given = bool(await self._connection.fetch(given, *arguments))
        if is_given:
            await self._connection.copy_records_to_table(table, records=records)
        await self._connection.execute("commit")
        return is_given

    async def ping(self) -> None:
        await self._connection.execute("select")

    async def close(self) -> None:
        await self._connection.close(timeout=1)

    def terminate(self) -> None:
        self._connection.terminate()


class Sessions:
    """Opens sessions with the database of `dsn`, and detects a pooler before it.

    A pooler may give each transaction another session of the server. So with a pooler nothing is
    left in a session: no prepared statement, no setting. That takes more round trips.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pooled = False

    async def open(self) -> Session:
        """A new session.

        Raises what asyncpg raises.
        """
        if self._pooled:
            return await self._open_pooled()
        connection = await asyncpg.connect(self._dsn, timeout=ANSWER_SECONDS)
        try:
            # A pooler invents a process id, as it may have no session yet.
            answer = await connection.execute(_set_up(connection.get_server_pid()))
        except BaseException:
            connection.terminate()
            raise
        if answer != "SELECT 0":
            return Session(connection, pooled=False)
        connection.terminate()
        self._pooled = True
        _logger.info("DATABASE_URL points to a pooler: each statement runs in its own transaction.")
        return await self._open_pooled()

    async def _open_pooled(self) -> Session:
        # Without a cache statements have no name, and one call prepares and executes them.
        connection = await asyncpg.connect(
            self._dsn, timeout=ANSWER_SECONDS, statement_cache_size=0
        )
        return Session(connection, pooled=True)
