"""The port from the HTTP side to the process behind it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.framework.mediator import Mediator
from app.framework.projections import ProjectionRecord


@dataclass(frozen=True, slots=True)
class Check:
    """One line of readiness.

    name: the part: "postgresql", "mongodb", "writes", "views", "projector", "identity".
    detail: why it is not ok, or more about it.
    roles: the roles of this process that need it; none means all.
    """

    name: str
    ok: bool
    detail: str = ""
    roles: frozenset[str] = frozenset()


class Service(Protocol):
    """The process behind the API; the application opens and closes it."""

    @property
    def mediator(self) -> Mediator:
        """The mediator, with a handler for each message that the roles serve."""
        ...

    @property
    def roles(self) -> frozenset[str]:
        """The roles of this process."""
        ...

    @property
    def draining(self) -> asyncio.Event:
        """Set when a stop is requested: not ready any more, but requests are still accepted."""
        ...

    @property
    def stopping(self) -> asyncio.Event:
        """Set when no more requests are accepted: streams have to end then."""
        ...

    async def open(self) -> None:
        """Get ready to serve; called once, before the first request.

        Its errors end the start-up; `close` is called then, too.
        """
        ...

    async def close(self) -> None:
        """Release all resources; called once, after the last request."""
        ...

    async def checks(self) -> Sequence[Check]:
        """Check now, within seconds, each part that the roles need."""
        ...

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection with its builds, as far as a process with these roles can know.

        Raises:
            StorageUnavailable: the database that knows does not answer.

        """
        ...

    async def measure(self) -> None:
        """Set the metrics of the service as a whole: its checks, its builds.

        What cannot be found out is left out.
        """
        ...
