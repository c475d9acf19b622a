"""The metrics of the service, for Prometheus."""

import asyncio
from contextvars import Context

from fastapi import APIRouter, Response

from app.framework.administration.policies import METRICS_READ
from app.framework.http.access import takes
from app.framework.http.service import Service
from app.framework.observability.metrics.exposition import CONTENT_TYPE, text_of
from app.framework.observability.metrics.slots import all_reports


def add_metrics(router: APIRouter, service: Service) -> None:
    """Serve them; not in the OpenAPI document, as they are for one client that knows them."""
    reading: asyncio.Task[bytes] | None = None

    @router.get("/metrics", include_in_schema=False, **takes(METRICS_READ))
    async def read_metrics() -> Response:
        """The metrics; callers at the same time share them, as they are not bounded."""
        nonlocal reading
        if reading is None or reading.done():
            reading = asyncio.create_task(_read(service), name="metrics", context=Context())
        text = await asyncio.shield(reading)
        return Response(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


async def _read(service: Service) -> bytes:
    await service.measure()
    reports = all_reports()
    # Writing takes milliseconds, in which the event loop has requests to answer.
    return await asyncio.to_thread(text_of, reports)
