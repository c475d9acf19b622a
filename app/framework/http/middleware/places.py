"""The places of requests under way."""

import logging

from app.framework.observability.episodes import Episode

_log = logging.getLogger(__name__)


class Places:
    """The places; `refused` counts the requests without one."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.taken = 0
        self.refused = Episode(
            _log,
            begins=f"Overloaded: {bound} requests are under way, further ones are refused.",
            ended="No longer overloaded; %d requests were refused.",
        )

    @property
    def full(self) -> bool:
        return self.taken >= self.bound
