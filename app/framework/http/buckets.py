"""Token buckets, one for each client, in bounded memory."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

BUCKETS = 65_536
"""How many buckets are kept."""


_ROUNDING = 1e-6
"""Smaller differences are errors of rounding, which would be worth a whole unit or second."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a client may use.

    a_minute: what comes into its bucket.
    burst: what the bucket holds: so much may be used at once.
    """

    a_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a client stands.

    wait: 0 if it may go on; else after how many seconds it may.
    left: the units in its bucket.
    """

    wait: float
    left: int


class Buckets:
    """Buckets that are filled at one rate, by the generic cell rate algorithm.

    Of each only the time is kept at which it will be full. A full one is as good as none. Beyond
    `bound` the one that was used longest ago goes: to get a full bucket that way, a client has to
    use `bound` others, which is more than it gains.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        bound: int = BUCKETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 60 / rate.a_minute
        self._burst = rate.burst
        self._fill_seconds = rate.burst * self._interval
        self._bound = bound
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._full_at)

    @property
    def fill_seconds(self) -> int:
        """The time in which an empty bucket becomes full, rounded up."""
        return math.ceil(self._fill_seconds - _ROUNDING)

    @property
    def unit_seconds(self) -> int:
        """The time in which one unit comes in, rounded up."""
        return math.ceil(self._interval - _ROUNDING)

    def take(self, key: str, cost: int) -> Standing:
        """Take units out of a bucket, unless it has too few.

        A cost above the burst takes a full bucket.
        """
        now = self._clock()
        full_at = max(self._full_at.pop(key, now), now)
        after = full_at + min(cost, self._burst) * self._interval
        wait = self._wait(after - now)
        full_at = full_at if wait else after
        self._keep(key, full_at)
        return self._standing(wait, full_at - now)

    def reserve(self, key: str, cost: int) -> float:
        """Take units out of a bucket, also ones that have yet to come in.

        After how many seconds they will be there.
        """
        now = self._clock()
        full_at = max(self._full_at.pop(key, now), now) + cost * self._interval
        self._keep(key, full_at)
        return self._wait(full_at - now)

    def look(self, key: str, cost: int) -> Standing:
        """What `take` would answer; nothing is taken."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now)
        after = full_at + min(cost, self._burst) * self._interval
        return self._standing(self._wait(after - now), full_at - now)

    def _keep(self, key: str, full_at: float) -> None:
        """Keep a bucket, which was taken out before, as the one that was used last."""
        self._full_at[key] = full_at
        if len(self._full_at) > self._bound:
            del self._full_at[next(iter(self._full_at))]

    def _wait(self, missing: float) -> float:
        wait = missing - self._fill_seconds
        return wait if wait > _ROUNDING else 0.0

    def _standing(self, wait: float, missing: float) -> Standing:
        left = (self._fill_seconds - missing) / self._interval
        return Standing(wait, math.floor(left + _ROUNDING))
