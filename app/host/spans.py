"""The spans of a process, by OpenTelemetry's SDK, which the extra `telemetry` brings.

Only what is listed here leaves the process: libraries also put paths, queries and the texts of
errors into spans, which may be personal.
"""

from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status
from opentelemetry.util.types import Attributes

from app.framework.observability import tracing

_ATTRIBUTES = frozenset(
    {
        "code.function.name",
        "db.mongodb.collection",
        "db.name",
        "db.statement",  # with placeholders: parameters are an attribute of their own
        "db.system",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "net.peer.name",
        "net.peer.port",
        "network.protocol.version",
        "url.scheme",
    }
)


def exporter(name: str) -> SpanExporter:
    """The exporter that OTEL_TRACES_EXPORTER names: otlp or console."""
    return ConsoleSpanExporter() if name == "console" else OTLPSpanExporter()


def provider(
    exporter: SpanExporter,
    *,
    name: str,
    version: str,
    process: str,
    processor: type[SpanProcessor] = BatchSpanProcessor,
) -> TracerProvider:
    """A provider whose spans go to `exporter`, without what may be personal."""
    resource = Resource.create({SERVICE_VERSION: version, SERVICE_INSTANCE_ID: process})
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: name}))
    # The one of the variables, which a provider takes by itself.
    chosen = TracerProvider(shutdown_on_exit=False).sampler
    made = TracerProvider(_Joining(chosen), resource, shutdown_on_exit=False)
    made.add_span_processor(processor(_Cleaning(exporter)))  # type: ignore[call-arg]
    return made


def trace_with(provider: TracerProvider) -> None:
    """Have the whole process traced; call it before anything connects."""
    trace.set_tracer_provider(provider)
    tracing.use(provider)
    AsyncPGInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    PymongoInstrumentor().instrument(tracer_provider=provider)


class _Joining(Sampler):
    """Samples a batch if a request in it is sampled; drops calls of databases for no request."""

    def __init__(self, chosen: Sampler) -> None:
        self._chosen = chosen

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        if not trace.get_current_span(parent_context).get_span_context().is_valid:
            if links and any(each.context.trace_flags.sampled for each in links):
                return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
            if links or kind is SpanKind.CLIENT:
                return SamplingResult(Decision.DROP)
        return self._chosen.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"Joining({self._chosen.get_description()})"


class _Cleaning(SpanExporter):
    """Passes on what is listed of each span."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_cleaned(each) for each in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    """`span` with the attributes that are listed, without events and the texts of errors."""
    given = span.attributes or {}
    return ReadableSpan(
        name=span.name,
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes={name: given[name] for name in given.keys() & _ATTRIBUTES},
        links=[Link(_bare(each.context)) for each in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: Any) -> Any:
    """`context` without the state of other tracers, which clients may have sent."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
