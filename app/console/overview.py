"""The first page: whether all is well, and what needs attention if not."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from app.console.charts import lag_chart, traffic_chart
from app.console.findings import Verdict, findings
from app.console.live import Live, Parts
from app.console.pages import Pages
from app.console.processes import known_processes
from app.console.sampling import Sampler, rates
from app.framework.administration import ListProjections
from app.framework.administration.policies import PROJECTIONS_READ
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.principals import require
from app.framework.http.service import Check, Service
from app.framework.http.sessions import PREFIX
from app.framework.mediator import HandlerMissing
from app.framework.storage import StorageUnavailable

CHECKED_SECONDS = 3.0
"""How old checks may be: each asks the databases, and pages that are open share them."""

PARTS = ("verdict", "attention", "figures", "charts", "projections", "processes", "health")


class Overview:
    """What the first page shows."""

    def __init__(self, service: Service, pages: Pages, sampler: Sampler) -> None:
        self._service = service
        self._pages = pages
        self._sampler = sampler
        self._checks: Sequence[Check] = ()
        self._checked_at = -CHECKED_SECONDS
        self._checking: asyncio.Task[None] | None = None

    async def values(self, request: Request) -> dict[str, Any]:
        """The values of the templates.

        Raises:
            Forbidden: the reader may not see projections.

        """
        require(request.scope, PROJECTIONS_READ)  # also where no message asks for it
        await self._check()
        try:
            projections = await self._pages.send(request, ListProjections())
        except (StorageUnavailable, HandlerMissing):
            projections = None
        sampler, roles = self._sampler, sorted(self._service.roles)
        samples = sampler.samples
        processes = known_processes(sampler.reports, sampler.read_at, roles, projections or ())
        refusals = _last(rates(samples[-2:], "refusals"))
        found = findings(self._checks, projections, processes, refusals)
        return {
            "verdict": Verdict.of(found),
            "findings": found,
            "projections": projections,
            "checks": self._checks,
            "roles": roles,
            "processes": processes,
            "head": max(
                (it for each in samples[-2:] if (it := each.head) is not None), default=None
            ),
            "writes": _last(rates(samples[-2:], "head")),
            "reads": _last(rates(samples[-2:], "reads")),
            "lag": max(
                (each.lag for each in projections or () if each.lag is not None), default=None
            ),
            "parked": None if projections is None else sum(each.parked for each in projections),
            "charts": [lag_chart(samples), traffic_chart(samples)],
        }

    async def parts(self, request: Request, base: str) -> Parts:
        """The parts of the page, as they are now."""
        values = await self.values(request)
        return {
            each: self._pages.render(f"overview/{each}.html", base=base, **values) for each in PARTS
        }

    async def _check(self) -> None:
        clock = asyncio.get_running_loop().time
        if self._checks and clock() - self._checked_at < CHECKED_SECONDS:
            return
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._look(), name="console checks")
        await asyncio.shield(self._checking)

    async def _look(self) -> None:
        self._checks = await self._service.checks()
        self._checked_at = asyncio.get_running_loop().time()


def _last(values: Sequence[float | None]) -> float | None:
    return values[-1] if values else None


def add_overview(router: APIRouter, overview: Overview, pages: Pages, live: Live) -> None:
    async def console_overview(request: Request) -> Response:
        return pages.page(request, "overview", **await overview.values(request))

    async def console_overview_changes(request: Request) -> Response:
        base = f"{request.scope.get('root_path', '')}{PREFIX}"
        return await live.parts_of(request, lambda: overview.parts(request, base))

    router.add_api_route(
        PREFIX, pages.guarded(console_overview), methods=["GET"], include_in_schema=False
    )
    router.add_api_route(
        f"{PREFIX}/live/overview",
        pages.guarded(console_overview_changes),
        methods=["GET"],
        include_in_schema=False,
        response_class=EventStreamResponse,
    )
