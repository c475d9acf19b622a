"""FastAPI's own spans: what is traced is traced whole, and nothing is unless it is asked for."""

import httpx
import pytest
from fastapi.telemetry import TelemetryConfig
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.api.service import application

ALICE = {"id": "alice", "name": "Alice", "email": "alice@example.com"}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where spans end up."""
    return InMemorySpanExporter()


def client_of(service, telemetry: TelemetryConfig | None) -> httpx.AsyncClient:
    """A client of the service, traced or not."""
    transport = httpx.ASGITransport(application(service, telemetry=telemetry))
    return httpx.AsyncClient(transport=transport, base_url="http://diptych")


async def test_an_operation_is_traced_by_its_route(service, spans):
    """With a span for the request, and one for each part that FastAPI knows."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    async with client_of(service, {"tracer_provider": provider, "metrics": False}) as client:
        assert (await client.post("/users", json=ALICE)).status_code == 201
        await service.project()
        assert (await client.get("/users/alice")).status_code == 200

    found = spans.get_finished_spans()
    requests = [each for each in found if each.parent is None]
    assert [each.name for each in requests] == ["POST /users", "GET /users/{user_id}"]
    for request in requests:
        assert request.context
        parts = [it for it in found if it.parent and it.parent.span_id == request.context.span_id]
        assert len(parts) >= 2


async def test_nothing_is_traced_unless_it_is_asked_for(service, spans, monkeypatch):
    """Though there is a provider of the whole process."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    async with client_of(service, None) as client:
        assert (await client.post("/users", json=ALICE)).status_code == 201
    assert spans.get_finished_spans() == ()
