"""A connection to PostgreSQL that is opened on demand, and reopened when it is lost."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from app.adapters.postgres.errors import DRIVER_ERRORS, did_nothing, is_transient, unavailable
from app.adapters.postgres.sessions import ANSWER_SECONDS, Session, Sessions

TRUSTED_SECONDS = 10.0
"""How long a connection may be idle and still be used without a check."""

PING_SECONDS = 1.0
"""The timeout for the check of an idle connection."""

ATTEMPTS = 3

_RETRY_SECONDS = ANSWER_SECONDS / 2
"""For how long a statement is retried, so that the last attempt has time left."""


class Connection:
    """A connection for one purpose; calls take turns on it.

    Cheaper than a pool for statements that are batched anyway: a pool's release costs a
    round trip of its own.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._trusted_until = 0.0

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of `statement`, which is retried if PostgreSQL rolled it back.

        Raises:
            StorageUnavailable: PostgreSQL cannot be reached, takes too long or refuses for now;
                whether the statement was carried out is unknown.
            asyncpg.PostgresError: it refuses the statement.

        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turn:
                return await self._fetch(statement, arguments)
        except DRIVER_ERRORS as error:
            if not is_transient(error):
                raise
            raise unavailable(error) from error

    async def copy(
        self, table: str, records: Sequence[Any], *, given: str, arguments: Sequence[Any]
    ) -> bool:
        """Add `records` to `table` if the statement `given` has a row; return whether it had one.

        They are on disk with the next statement that `fetch` has committed.

        Raises:
            StorageUnavailable: whether they were added is unknown.
            asyncpg.PostgresError: PostgreSQL refuses them; none was added.

        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turn:
                return await self._copy(table, records, given, arguments)
        except DRIVER_ERRORS as error:
            if not is_transient(error):
                raise
            raise unavailable(error) from error

    async def try_out(self, statement: str, *arguments: Any, seconds: float) -> None:
        """Carry `statement` out within `seconds`, and roll it back.

        Raises:
            StorageUnavailable: it cannot be carried out for now.
            asyncpg.PostgresError: PostgreSQL refuses it.

        """
        try:
            async with asyncio.timeout(seconds), self._turn:
                await self._try_out(statement, arguments, seconds / 2)
        except DRIVER_ERRORS as error:
            if not is_transient(error):
                raise
            raise unavailable(error) from error

    async def close(self) -> None:
        """Disconnect once the call under way has ended."""
        async with self._turn:
            session, self._session = self._session, None
            if session is None or session.is_closed():
                return
            try:
                await session.close()
            except DRIVER_ERRORS:
                session.terminate()

    async def _fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[asyncpg.Record]:
        clock = asyncio.get_running_loop().time
        began, attempts = clock(), 1
        while True:
            try:
                session = self._session
                if session is None or session.is_closed() or clock() > self._trusted_until:
                    session = await self._trusted_session()
                rows = await session.fetch(statement, arguments)
            except BaseException as error:
                # After a timeout or a cancellation the statement may still be running.
                self._drop()
                late = clock() - began > _RETRY_SECONDS
                if late or attempts == ATTEMPTS or not did_nothing(error):
                    raise
                attempts += 1
            else:
                self._trusted_until = clock() + TRUSTED_SECONDS
                return rows

    async def _copy(
        self, table: str, records: Sequence[Any], given: str, arguments: Sequence[Any]
    ) -> bool:
        try:
            session = await self._trusted_session()
            return await session.copy(table, records, given, arguments)
        except BaseException:
            self._drop()
            raise

    async def _try_out(self, statement: str, arguments: Sequence[Any], lock_seconds: float) -> None:
        try:
            session = await self._trusted_session()
            await session.try_out(statement, arguments, lock_seconds=lock_seconds)
        except BaseException:
            self._drop()
            raise

    async def _trusted_session(self) -> Session:
        session = self._session
        if session is not None and not session.is_closed():
            if await _answers(session):
                return session
            self._drop()
        self._session = await self._sessions.open()
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.terminate()


async def _answers(session: Session) -> bool:
    """Whether the connection still reaches PostgreSQL.

    A NAT, a balancer or a firewall may have dropped it silently.
    """
    try:
        async with asyncio.timeout(PING_SECONDS):
            await session.ping()
    except DRIVER_ERRORS:
        return False
    return True
