"""Limits for all connections together: their number, waiting time and memory."""

import logging
import math
from collections.abc import Iterable
from typing import Protocol

from app.framework.http.middleware import Places
from app.framework.http.problems import OVERLOADED, REQUEST_TIMEOUT
from app.framework.http.problems.kinds import ProblemType
from app.framework.observability.episodes import Episode
from app.framework.observability.metrics import counter, gauge
from app.host.server.backpressure import Backpressure

_logger = logging.getLogger(__name__)

_BOUND = gauge("connections", "How many connections there may be.")
_CLOSED = counter(
    "connections_closed_total",
    "Connections that gave way or were refused: at the bound of their number, or as incomplete "
    "requests took too much memory.",
    "bound",
).known("number", "memory")


class Connection(Protocol):
    """A connection, as `Connections` sees it."""

    def hang_up(self, kind: ProblemType, *, at_once: bool = False) -> bool:
        """Close it in order, with a problem of this kind if a request has begun.

        Or nearly so, if its descriptor is wanted `at_once`. False if it is about to close anyway.
        """
        ...

    def unsent(self) -> int:
        """How many bytes the client has not read yet; 0 if it reads in time."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


class Connections:
    """The connections of a server, and what the server waits for on each.

    places: the places of requests under way.
    backpressure: slows down senders of refused requests.
    heads, bodies: connections with an incomplete head or body, with its start, the oldest first.
    open: how many there are, including those that are about to close.
    held: how many bytes of unanswered requests are in memory.
    """

    HEAD_SECONDS = 10.0
    """The time for a head, from its first byte or from the connect."""

    BODY_SECONDS = 30.0
    """The time for a body, from its head."""

    UNSENT_SECONDS = 30.0
    """How long a client may not read its answers."""

    SPARE = 16
    """How many connections may briefly exceed the bound: a new one replaces an idle one, or is
    refused if all are busy."""

    def __init__(
        self,
        places: Places,
        *,
        bound: int = 10_000,
        bytes_bound: int = 64 * 1024 * 1024,
        refused_a_second: int = 3_500,
    ) -> None:
        self.places = places
        self.backpressure = Backpressure(refused_a_second)
        self.heads: dict[Connection, float] = {}
        self.bodies: dict[Connection, float] = {}
        self.open = 0
        self.held = 0
        self._bound = bound
        _BOUND.of().value = bound
        self._kept = 0  # without those that are about to give way
        self._giving_way: set[Connection] = set()
        self._bytes_bound = bytes_bound
        self._unsent: dict[Connection, tuple[int, float]] = {}
        self._crowded = Episode(
            _logger,
            begins=f"All {bound} connections are in use: those idle for longest are closed. A "
            "higher `ulimit -n` allows more, up to 10,000.",
            ended="Connections are below their bound again; %d were closed or refused.",
        )
        self._heavy = Episode(
            _logger,
            begins=f"Incomplete requests hold {bytes_bound} bytes, the most allowed: the slowest "
            "connections are closed.",
            ended="Incomplete requests are below their bound again; %d connections were closed.",
        )

    def has_room(self) -> bool:
        """Whether one more may be accepted now; if not, one of those that are about to close goes.

        That takes a turn of the event loop.
        """
        if self.open < self._bound + self.SPARE:
            return True
        if not self._giving_way:
            self.give_way()
        return False

    def made(self, connection: Connection, now: float) -> bool:
        """Wait for the head of a new connection; at the bound, the one idle for longest is closed.

        False if all are busy: the new one has to be refused.
        """
        has_place = True
        self._kept += 1
        if self._kept > self._bound:
            self._crowded.count()
            _CLOSED.of("number").value += 1
            has_place = self.give_way()
        self.heads[connection] = now
        return has_place

    def give_way(self) -> bool:
        """Close the connection that the server has waited for longest, if there is one.

        So a new connection survives stalled ones: its head may be on its way.
        """
        kinds = [self.heads, self.bodies]
        kinds.sort(key=lambda owing: next(iter(owing.values()), math.inf))
        return self._hang_up_on_first(*kinds)

    def hold(self, length: int) -> None:
        """Count bytes in memory; if they are too many, close the slowest senders."""
        self.held += length
        if self.held > self._bytes_bound:
            self._heavy.count()
            _CLOSED.of("memory").value += 1
            self._hang_up_on_first(self.bodies, self.heads)

    def lost(self, connection: Connection) -> None:
        self.open -= 1
        if connection in self._giving_way:
            self._giving_way.discard(connection)
        else:
            self._kept -= 1
        self.heads.pop(connection, None)
        self.bodies.pop(connection, None)
        self._unsent.pop(connection, None)

    def look(self, connections: Iterable[Connection], now: float) -> None:
        """Close late connections; call it about once a second with all connections."""
        for owing, seconds in ((self.heads, self.HEAD_SECONDS), (self.bodies, self.BODY_SECONDS)):
            late = []
            for each, since in owing.items():
                if since + seconds > now:
                    break
                late.append(each)
            for each in late:
                del owing[each]
                each.hang_up(REQUEST_TIMEOUT)
        self._look_at_takers(connections, now)

    def _look_at_takers(self, connections: Iterable[Connection], now: float) -> None:
        before, self._unsent = self._unsent, {}
        stuck = []
        for each in connections:
            unsent = each.unsent()
            if not unsent:
                continue
            known, since = before.get(each, (0, now))
            # A client that does not read is sent nothing more: the unsent bytes do not decrease.
            self._unsent[each] = (unsent, now if unsent < known else since)
            if self._unsent[each][1] + self.UNSENT_SECONDS <= now:
                stuck.append(each)
        for each in stuck:
            each.abort()

    def _hang_up_on_first(self, *kinds: dict[Connection, float]) -> bool:
        for owing in kinds:
            while owing:
                first = next(iter(owing))
                del owing[first]
                if first.hang_up(OVERLOADED, at_once=True):
                    self._giving_way.add(first)
                    self._kept -= 1
                    return True
        return False
