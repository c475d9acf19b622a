"""Rate limits: how much each client may use of this process.

A client is a principal; where none is known, it is an address.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any

from app.framework.http.addresses import client_network
from app.framework.http.buckets import Buckets, Rate, Standing
from app.framework.http.caching import RawHeader
from app.framework.observability.metrics import counter
from app.framework.principal import Principal, PrincipalKind

REFUSALS = Rate(a_minute=600, burst=20)
"""How often one client is refused at once. Further refusals are answered later, so that refusing it
costs little however fast it sends."""

REFUSAL_SECONDS = 1.0
"""How much later, on average."""

HELD = 256
"""How many refusals of one client wait at a time; it loses its connection with further ones."""

PROBE_SECONDS = 0.5
"""How much later health is answered, on average, to an address that asks too often: probes are
never refused."""

SPREAD = Rate(a_minute=15_000, burst=20)
"""How fast what a client may use at once is worked on: so others have their turns meanwhile."""

_UNKNOWN = "unknown"

_REFUSALS = counter(
    "rate_limit_refusals_total",
    "Requests of clients that had used up their limit, as principals or addresses.",
    "client",
).known("principal", "address")
_DELAYS = counter(
    "rate_limit_delays_total", "Requests that waited, as their clients sent many at once."
)
_DELAYS.of()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request.

    key: of its client.
    headers: for its answer, by draft-ietf-httpapi-ratelimit-headers-11.
    """

    key: str
    standing: Standing
    headers: Sequence[RawHeader]

    @property
    def is_refused(self) -> bool:
        return self.standing.wait > 0

    @property
    def retry_after(self) -> int:
        """After how many seconds the client may go on; 0 for now."""
        return ceil(self.standing.wait)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a request is refused.

    delay: after how many seconds it is answered.
    closes: whether its connection is closed.
    """

    delay: float
    closes: bool


class RateLimits:
    """The limits of all clients, for one process."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._principals = _Limit("principal", rate, clock)
        self._addresses = _Limit("address", rate, clock)
        self._probes = Buckets(rate, clock=clock)
        # Never slower than units come in.
        fastest = max(SPREAD.a_minute, 2 * rate.a_minute)
        self._spread = Buckets(Rate(fastest, SPREAD.burst), clock=clock)
        self._refusals = Buckets(REFUSALS, clock=clock)
        self._held: Counter[str] = Counter()

    def take(self, scope: Mapping[str, Any], principal: Principal, cost: int) -> Verdict:
        """Have the client of a request pay for it: its principal, or its address without one."""
        if principal.kind is PrincipalKind.ANYONE:
            return self.take_from_address(scope, cost)
        return self._principals.take(principal.realm, cost)

    def spread(self, verdict: Verdict, cost: int) -> float:
        """How many seconds to wait before a request that was paid for is worked on."""
        delay = self._spread.reserve(verdict.key, cost)
        if delay:
            _DELAYS.of().value += 1
        return delay

    def take_from_address(self, scope: Mapping[str, Any], cost: int) -> Verdict:
        """Have the address of a request pay for it."""
        return self._addresses.take(_address(scope), cost)

    def look_at_address(self, scope: Mapping[str, Any], cost: int) -> Verdict:
        """Whether the address of a request can pay; nothing is taken."""
        return self._addresses.look(_address(scope), cost)

    def delay_of_probe(self, scope: Mapping[str, Any]) -> float:
        """How many seconds to wait before health is answered."""
        return _about(PROBE_SECONDS) if self._probes.take(_address(scope), 1).wait else 0.0

    def refuse(self, key: str) -> Refusal:
        """Count a refusal of a client. If it has a delay, call `release` after it."""
        _REFUSALS.of(key.partition(" ")[0]).value += 1
        delay = _about(REFUSAL_SECONDS) if self._refusals.take(key, 1).wait else 0.0
        closes = bool(delay) and self._held[key] >= HELD
        if closes:
            delay = 0.0
        elif delay:
            self._held[key] += 1
        return Refusal(delay, closes)

    def release(self, key: str) -> None:
        """A refusal is answered."""
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]


class _Limit:
    """The buckets of one kind of clients, and the headers that say how they stand."""

    def __init__(self, name: str, rate: Rate, clock: Callable[[], float]) -> None:
        self._name = name.encode()
        self._prefix = f"{name} "
        self._buckets = Buckets(rate, clock=clock)
        self._policy = f'"{name}";q={rate.burst};w={self._buckets.fill_seconds}'.encode()

    def take(self, client: str, cost: int) -> Verdict:
        return self._verdict(client, self._buckets.take(client, cost))

    def look(self, client: str, cost: int) -> Verdict:
        return self._verdict(client, self._buckets.look(client, cost))

    def _verdict(self, client: str, standing: Standing) -> Verdict:
        seconds = ceil(standing.wait) or self._buckets.unit_seconds
        limit = b'"%b";r=%d;t=%d' % (self._name, standing.left, seconds)
        headers = (b"ratelimit-policy", self._policy), (b"ratelimit", limit)
        return Verdict(self._prefix + client, standing, headers)


def _about(seconds: float) -> float:
    # Otherwise all that are held back would be answered, and sent again, in the same moment.
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def _address(scope: Mapping[str, Any]) -> str:
    return client_network(scope) or _UNKNOWN
