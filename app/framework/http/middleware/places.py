"""The places of requests under way."""

import logging

from app.framework.observability.episodes import Episode
from app.framework.observability.metrics import counter, gauge

_TAKEN = gauge("admission_places_taken", "Requests that are worked on.")
_BOUND = gauge("admission_places", "How many may be; further ones are refused.")
_REFUSED = counter(
    "admission_refusals_total", "Requests that were refused as all places were taken."
)

_log = logging.getLogger(__name__)


class Places:
    """The places; `taken` are those of requests that are worked on."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.taken = 0
        self._taken, self._refused = _TAKEN.of(), _REFUSED.of()
        _BOUND.of().value = bound
        self._refusals = Episode(
            _log,
            begins=f"Overloaded: {bound} requests are under way, further ones are refused.",
            ended="No longer overloaded; %d requests were refused.",
        )

    @property
    def full(self) -> bool:
        return self.taken >= self.bound

    def take(self) -> None:
        """Take a place, though all may be taken."""
        self.taken += 1
        self._taken.value = self.taken

    def give_back(self) -> None:
        """Give a place back."""
        self.taken -= 1
        self._taken.value = self.taken

    def refuse(self) -> None:
        """Note that a request found no place."""
        self._refused.value += 1
        self._refusals.count()
