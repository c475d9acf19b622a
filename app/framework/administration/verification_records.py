"""What is stored of verifications, so that every process can show those of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.framework.projections import Difference, Parked

SAVE_SECONDS = 1.0
"""How often a process saves how far its verification is."""

SILENT_SECONDS = 10.0
"""A verification under way that was not saved for so long has ended with its process."""

KEPT_SECONDS = 7 * 24 * 3600.0
"""How long a verification is kept after it was saved last."""


@dataclass(frozen=True, slots=True)
class VerificationDetails:
    """A verification: how far it is, and what it has found.

    is_over: whether it has ended; what it has found is final then.
    sample: about how many percent of the documents it compares.
    repair: whether it replaces documents that differ by what the log leads to.
    done, total: how far it is, in events and documents; `total` is None until it is known.
    position: events up to there are folded.
    differences: the first 100 of those that differed.
    error: why it ended early; None if it did not.
    """

    id: str
    projection: str
    build: int
    version: int
    sample: float
    repair: bool
    began_at: datetime
    is_over: bool
    done: int
    total: int | None
    position: int
    head: int
    documents: int
    differing: int
    repaired: int
    differences: Sequence[Difference]
    parked: Sequence[Parked]
    error: str | None


class VerificationRecords(Protocol):
    """Stores verifications for KEPT_SECONDS. The clock is that of the store.

    Every method raises StorageUnavailable when the storage cannot be reached.
    """

    async def save(self, verification: VerificationDetails) -> None:
        """Store a verification as it is now."""
        ...

    async def find(self, name: str, verification_id: str) -> VerificationDetails | None:
        """A verification of the projection `name`; None if there is none, or if its process died.

        That is taken to be so SILENT_SECONDS after it was saved last.
        """
        ...

    async def under_way(self, name: str) -> str | None:
        """The id of a verification of the projection `name` that is under way."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...
