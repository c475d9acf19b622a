"""Verifications in memory."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.adapters.memory.builds import utc_now
from app.framework.administration import SILENT_SECONDS, VerificationDetails


class MemoryVerifications:
    """Implements VerificationRecords; they are kept for ever."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` returns the time, in UTC."""
        self._clock = clock
        self._saved: dict[str, tuple[VerificationDetails, datetime]] = {}

    async def close(self) -> None:
        """There is nothing to disconnect."""

    async def save(self, verification: VerificationDetails) -> None:
        self._saved[verification.id] = (verification, self._clock())

    async def find(self, name: str, verification_id: str) -> VerificationDetails | None:
        for each in self._alive(name):
            if each.id == verification_id:
                return each
        return None

    async def under_way(self, name: str) -> str | None:
        return next((each.id for each in self._alive(name) if not each.is_over), None)

    def _alive(self, name: str) -> list[VerificationDetails]:
        silent = self._clock() - timedelta(seconds=SILENT_SECONDS)
        return [
            each
            for each, seen_at in self._saved.values()
            if each.projection == name and (each.is_over or seen_at > silent)
        ]
