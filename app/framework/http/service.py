"""What the HTTP layer needs of the process it stands before."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.framework.mediator import Mediator
from app.framework.projections import ProjectionStatus


@dataclass(frozen=True, slots=True)
class Check:
    """One line of readiness.

    name: what was looked at: "postgresql", "mongodb", "writes", "projector".
    detail: why it is not ok; empty when it is.
    """

    name: str
    ok: bool
    detail: str = ""


class Service(Protocol):
    """The process behind the API, which opens with it and closes with it."""

    @property
    def mediator(self) -> Mediator:
        """Where messages go; it holds a handler for each message the roles serve."""
        ...

    @property
    def roles(self) -> frozenset[str]:
        """What this process does."""
        ...

    @property
    def draining(self) -> asyncio.Event:
        """Set when a stop was asked for: no longer ready, while requests are still taken."""
        ...

    @property
    def stopping(self) -> asyncio.Event:
        """Set when no more requests are taken: answers without end have to end then."""
        ...

    async def open(self) -> None:
        """Get ready to serve; called once, before the first request.

        What it raises ends the start-up; `close` is called then, too.
        """
        ...

    async def close(self) -> None:
        """Let go of everything there is; called once, after the last request."""
        ...

    async def checks(self) -> Sequence[Check]:
        """Whether each thing the roles need is there, found out now and within seconds."""
        ...

    async def projections(self) -> Sequence[ProjectionStatus]:
        """How far every projection is, as far as a process of these roles can know.

        Raises:
            StorageUnavailable: nothing can be known for now.

        """
        ...
