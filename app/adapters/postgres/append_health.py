"""Whether appends succeed: what readiness is about in a process that takes commands."""

import asyncio
import json
import math

import asyncpg

from app.adapters.postgres import statements
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.errors import message
from app.framework.storage import StorageUnavailable

FRESH_SECONDS = 5.0
"""For how long an append that succeeded shows that others will."""

TRIAL_SECONDS = 2.0
"""How long a trial may take; where the lock of `log_head` goes around it takes milliseconds."""

_NOTHING = "[]"

_SOMETHING = json.dumps(
    [
        {
            "stream_id": "trial-of-an-append",
            "expected_version": 0,
            "metadata": {},
            "events": [{"type": "Trial", "schema_version": 1, "data": {}}],
        }
    ]
)


class AppendHealth:
    """Looks at what becomes of appends, and tries one out where that does not tell.

    A trial goes the way of an append, lock and all, and is rolled back. Usually it appends
    nothing, which leaves nothing behind. After an append that failed, and before the first, it
    appends an event: a full disk refuses no less, and the rows that are rolled back are few.
    """

    def __init__(self, connection: Connection) -> None:
        """Try appends out through `connection`, taking turns with the real ones."""
        self._connection = connection
        self._is_known_good = False
        self._good_at = -math.inf

    def has_succeeded(self) -> None:
        """Note that PostgreSQL has answered a batch of appends."""
        self._is_known_good = True
        self._good_at = asyncio.get_running_loop().time()

    def has_failed(self) -> None:
        """Note that it has not, or has refused it for now."""
        self._is_known_good = False

    async def check(self) -> None:
        """Return if an append can succeed.

        Raises:
            StorageUnavailable: none can for now.

        """
        age = asyncio.get_running_loop().time() - self._good_at
        if not self._is_known_good or age > FRESH_SECONDS:
            await self._try()

    async def _try(self) -> None:
        items = _NOTHING if self._is_known_good else _SOMETHING
        try:
            await self._connection.try_out(statements.APPEND, items, seconds=TRIAL_SECONDS)
        except asyncpg.PostgresError as error:
            reason = "it refuses to append"
            raise StorageUnavailable("PostgreSQL", reason, message(error)) from error
        self.has_succeeded()
