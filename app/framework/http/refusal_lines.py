"""The lines of the audit log about clients that a rate limit refused.

A flood of requests must not become a flood of lines.
"""

import asyncio
from collections import OrderedDict
from contextvars import Context
from dataclasses import dataclass
from http import HTTPStatus

from app.framework.http.problems.security import TOO_MANY_REQUESTS
from app.framework.observability.audit import AuditOutcome, audit
from app.framework.principal import Principal

SECONDS = 10.0
"""How often a client that goes on has a line."""

CLIENTS = 65_536
"""How many clients are counted at a time; with another one, the oldest has its line early."""


@dataclass(slots=True)
class _Client:
    principal: Principal | None
    address: str | None
    timer: asyncio.TimerHandle
    more: int = 0


class RefusalLines:
    """Counts the refusals of each client after the first, and writes how many there were."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, _Client] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are counted now."""
        return len(self._clients)

    def counts(self, key: str, principal: Principal | None, address: str | None) -> bool:
        """Count a refusal of a client, unless it is the first: that has to have its own line."""
        if found := self._clients.get(key):
            found.more += 1
            return True
        if len(self._clients) >= CLIENTS:
            self._end(next(iter(self._clients)))
        self._begin(key, principal, address)
        return False

    def write_all(self) -> None:
        """Write what was counted; for the end of the process."""
        for each in tuple(self._clients):
            self._end(each)

    def _begin(self, key: str, principal: Principal | None, address: str | None) -> None:
        loop = asyncio.get_running_loop()
        # In a context of its own: the line belongs to no single request.
        timer = loop.call_later(SECONDS, self._look, key, context=Context())
        self._clients[key] = _Client(principal, address, timer)

    def _look(self, key: str) -> None:
        found = self._clients[key]
        if self._end(key):
            self._begin(key, found.principal, found.address)

    def _end(self, key: str) -> int:
        found = self._clients.pop(key)
        found.timer.cancel()
        if found.more:
            audit(
                None,
                AuditOutcome.REFUSED,
                principal=found.principal,
                address=found.address,
                status=HTTPStatus.TOO_MANY_REQUESTS,
                problem=TOO_MANY_REQUESTS.code,
                repeated=found.more,
            )
        return found.more
