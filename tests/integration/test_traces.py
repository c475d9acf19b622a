"""A request is traced to the documents that it led to, without anything personal."""

import re
from collections.abc import Iterator, Sequence

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.contexts.users.projections import USER_PROJECTIONS
from app.framework.observability import tracing
from app.host import spans
from tests.integration.conftest import caught_up, serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"

PERSONAL = {
    "id": "liddell",
    "name": "Alice Pleasance",
    "email": "alice.pleasance@example.com",
    "bio": "Fell into a burrow",
}
"""A profile of which nothing may be in a span, nor of the requests about it."""

SENT = re.compile("liddell|pleasance|burrow|wonderful|forged|state-of-a-client", re.IGNORECASE)


@pytest.fixture
def exporter(monkeypatch) -> Iterator[InMemorySpanExporter]:
    """Where the spans of this process end up, as they would leave it."""
    exporter = InMemorySpanExporter()
    provider = spans.provider(
        exporter, name="tests", version="1", process="tests", processor=SimpleSpanProcessor
    )
    monkeypatch.setattr(
        trace,
        "set_tracer_provider",
        lambda each: monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", each),
    )
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    spans.trace_with(provider)
    yield exporter
    tracing.use(None)
    AsyncPGInstrumentor().uninstrument()
    PymongoInstrumentor().uninstrument()


def names_of(found: Sequence[ReadableSpan]) -> list[str]:
    """Their names."""
    return [each.name for each in found]


def of_trace(exporter: InMemorySpanExporter, trace_id: str = TRACE) -> Sequence[ReadableSpan]:
    """The spans of a trace."""
    found = exporter.get_finished_spans()
    return [each for each in found if each.context and each.context.trace_id == int(trace_id, 16)]


def linked(span: ReadableSpan, others: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Those of `others` that a span is linked with."""
    ids = {each.context.span_id for each in span.links}
    return [each for each in others if each.context and each.context.span_id in ids]


def inside(span: ReadableSpan, others: Sequence[ReadableSpan]) -> list[str]:
    """The names of those of `others` that are directly within a span."""
    assert span.context
    return [it.name for it in others if it.parent and it.parent.span_id == span.context.span_id]


async def register(client: httpx.AsyncClient, traceparent: str) -> httpx.Response:
    """Write, within a trace of the client's."""
    headers = {"traceparent": traceparent, "tracestate": "vendor=state-of-a-client"}
    answer = await client.post("/users", json=PERSONAL, headers=headers)
    assert answer.status_code == 201
    await caught_up(client, 1)
    return answer


async def test_one_trace_leads_from_a_write_to_its_documents(settings, exporter):
    """Over the message, its decision and its append, which is linked with its batch."""
    async with serving(settings) as client:
        await register(client, SAMPLED)
    found, own = exporter.get_finished_spans(), of_trace(exporter)

    for name in ("POST /users", "message RegisterUser", "decide", "append"):
        assert names_of(own).count(name) == 1
    projected = {f"project {each.name}" for each in USER_PROJECTIONS}
    assert projected <= set(names_of(own))

    [append] = [each for each in own if each.name == "append"]
    [batch] = linked(append, found)
    assert batch.name == "batch: appends"
    assert linked(batch, own) == [append]
    assert set(inside(batch, found)) == {"select"}

    for name in projected:
        [span] = [each for each in own if each.name == name]
        [batch] = linked(span, found)
        assert batch.name == f"batch: {name}"
        assert "insert" in {each.split(".")[-1] for each in inside(batch, found)}


async def test_no_span_has_anything_personal(settings, exporter):
    """Nothing of a profile, of paths and queries, of errors, of what clients make up."""
    async with serving(settings) as client:
        await register(client, SAMPLED)
        await client.post("/users", json=PERSONAL | {"id": "liddell2"})  # the address is taken
        await client.put("/users/liddell", json={"name": "Alice Pleasance II"})
        await client.get("/users/liddell", params={"forged": "forged"})
        await client.get("/users", params={"q": "pleasance"})
        await client.get("/forged/alice.pleasance@example.com?wonderful=pleasance")
        await client.request("FORGED", "/users/liddell")
        await client.get("/users", headers={"Host": "liddell.example.com"})
    found = exporter.get_finished_spans()
    assert set(names_of(found)) >= {
        "GET /users/{user_id}",
        "message ListUserSummaries",
        "HTTP /users/{user_id}",
    }
    leaked = {(each.name, text) for each in found for text in SENT.findall(each.to_json())}
    assert leaked == set()


async def test_what_is_not_sampled_has_no_spans(settings, exporter):
    """Nor have its batches and its projection; probes have none in any case."""
    async with serving(settings) as client:
        headers = {"traceparent": NOT_SAMPLED}
        await client.post("/users", json=PERSONAL, headers=headers)
        await client.get("/health/ready", headers={"traceparent": SAMPLED})
        async with serving(settings):
            pass
    assert names_of(exporter.get_finished_spans()) == []


@pytest.mark.usefixtures("exporter")
async def test_a_stored_event_has_the_trace_of_its_request(settings, log):
    """In a form that other tracers read; an event without one has none."""
    async with serving(settings) as client:
        await register(client, SAMPLED)
        tracing.use(None)
        await client.put("/users/liddell", json={"name": "Alice"}, headers={"traceparent": SAMPLED})
    first, second = await log.read(after=0, limit=10)
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", first.metadata.traceparent or "")
    assert second.metadata.traceparent is None
