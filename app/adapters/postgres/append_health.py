"""Whether appends succeed, for the readiness of a process with the role commands."""

import asyncio
import json
import math

import asyncpg

from app.adapters.postgres import statements
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.errors import message
from app.framework.storage import StorageUnavailable

FRESH_SECONDS = 5.0
"""For how long a successful append counts as proof."""

TRIAL_SECONDS = 2.0
"""How long a trial may take; normally it takes milliseconds."""

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
    """Judges appends by recent ones, and tries one if there is none.

    A trial takes the lock like an append, and is rolled back. Usually it appends nothing. After a
    failed append, and before the first, it appends an event, as a full disk refuses only that.
    """

    def __init__(self, connection: Connection) -> None:
        """Try appends through `connection`, in turns with the real ones."""
        self._connection = connection
        self._is_known_good = False
        self._good_at = -math.inf

    def has_succeeded(self) -> None:
        """PostgreSQL has answered a batch of appends."""
        self._is_known_good = True
        self._good_at = asyncio.get_running_loop().time()

    def has_failed(self) -> None:
        """PostgreSQL has not answered a batch, or has refused it."""
        self._is_known_good = False

    async def check(self) -> None:
        """Return if an append can succeed.

        Raises:
            StorageUnavailable: no append can succeed at present.

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
