"""A service without databases: the real handlers on the adapters in memory."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI

from app import main
from app.bootstrap import all_projections
from app.framework.http.service import Check, Service
from app.framework.projections import (
    BuildRecord,
    BuildState,
    Projection,
    ProjectionRecord,
    ProjectionState,
    ProjectionStatus,
    unknown,
)
from app.host.measuring import measure_checks, measure_projections
from tests.notes import notes
from tests.world import World


def application(service: Service, **options: Any) -> FastAPI:
    """The application around a service, without authentication unless `options` say otherwise."""
    return main.application(service, **{"access": main.NO_AUTHENTICATION, **options})


class MemoryService:
    """Implements Service; `project` brings the views up to date when a test says so."""

    def __init__(self, world: World | None = None) -> None:
        self._world = world or World()
        self.roles = frozenset({"commands", "queries", "projector"})
        self.mediator = self._world.mediator
        self.log = self._world.event_store
        self.views = self._world.read_model
        self.found: Sequence[Check] = ()
        self.calls: list[str] = []
        self.draining = asyncio.Event()
        self.stopping = asyncio.Event()

    async def open(self) -> None:
        """Note that it was opened."""
        self.calls.append("open")

    async def close(self) -> None:
        """Note that it was closed."""
        self.calls.append("close")

    async def checks(self) -> Sequence[Check]:
        """What the test put in `found`."""
        return self.found

    async def projections(self) -> Sequence[ProjectionRecord]:
        """One that runs and one of which nothing is known."""
        return [
            ProjectionRecord(
                "user_profiles",
                [
                    BuildRecord(
                        "user_profiles_v2",
                        "user_profiles",
                        2,
                        number=3,
                        state=BuildState.SERVING,
                        status=ProjectionStatus(
                            "user_profiles", 2, 4, 6, ProjectionState.RETRYING, "no route"
                        ),
                        holder="here",
                        held_since=datetime(2026, 3, 14, tzinfo=UTC),
                        is_free=False,
                    )
                ],
                serving="user_profiles_v2",
            ),
            *unknown([notes()]),
        ]

    async def measure(self) -> None:
        """Set what the metrics have of the service as a whole."""
        measure_checks(self.found)
        await measure_projections(await self.projections(), self.log)

    def projection(self, name: str) -> Projection:
        """The projection of this name."""
        return next(each for each in all_projections() if each.name == name)

    async def project(self) -> None:
        """Apply the log to the views."""
        await self._world.catch_up()


class Lent:
    """Implements Service by the one that is lent: applications take long to make.

    What an application asks for when it is made, it asks at each use of the service lent then.
    """

    def __init__(self, service: MemoryService) -> None:
        self.service = service
        self.mediator: Any = _Part(lambda: self.service.mediator)
        self.draining: Any = _Part(lambda: self.service.draining)
        self.stopping: Any = _Part(lambda: self.service.stopping)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)


class _Part:
    def __init__(self, find: Callable[[], object]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        return getattr(self._find(), name)
