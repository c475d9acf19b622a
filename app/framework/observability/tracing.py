"""Spans of the service's own work, by OpenTelemetry's interface; without a provider there are none.

The trace of a request goes on where its events are projected: they carry the `traceparent` of their
request, in the form of W3C Trace Context.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import context as current
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import IDENTIFIER

CurrentSpan = Span | None
"""The span that further work belongs to; None if there is none, or it is not sampled."""

_NOTHING: AbstractContextManager[Any] = contextlib.nullcontext()
_TRACEPARENT = "traceparent"

_propagator = TraceContextTextMapPropagator()
_tracer: trace.Tracer | None = None


def use(provider: TracerProvider | None) -> None:
    """Make spans with `provider` from now on; with None make none."""
    global _tracer  # noqa: PLW0603 - the tracer of the process, as loggers are
    _tracer = None if provider is None else provider.get_tracer(IDENTIFIER)


def is_on() -> bool:
    return _tracer is not None


def span(name: str) -> AbstractContextManager[object]:
    """A span around a block, within the current one; it has the name of an error that leaves it."""
    return _NOTHING if _tracer is None else _around(_tracer, name)


def current_span() -> CurrentSpan:
    if _tracer is None:
        return None
    found = trace.get_current_span()
    return found if found.get_span_context().trace_flags.sampled else None


def current_ids() -> tuple[str, str] | None:
    """The ids of the current trace and its span, for lines of a log; None if there is none."""
    if _tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def traceparent() -> str | None:
    """The current span, in the form of W3C Trace Context; None if there is none."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(_TRACEPARENT)


def batch(name: str, callers: Iterable[CurrentSpan]) -> AbstractContextManager[object]:
    """A span around the work of a batch, linked with the spans that wait for it, and they with it.

    There is none if none waits in a span.
    """
    known = [] if _tracer is None else [each for each in callers if each is not None]
    return _for_callers(_tracer, name, known) if _tracer is not None and known else _NOTHING


def continued(name: str, traceparents: Collection[str]) -> AbstractContextManager[object]:
    """A span around the work that other traces led to, and a span in each of these traces.

    Traces that are not sampled have none.
    """
    if _tracer is None or not traceparents:
        return _NOTHING
    found = [_context_of(each) for each in traceparents]
    sampled = [each for each in found if each.is_valid and each.trace_flags.sampled]
    return _continuing(_tracer, name, sampled) if sampled else _NOTHING


def _context_of(traceparent: str) -> SpanContext:
    context = _propagator.extract({_TRACEPARENT: traceparent}, current.Context())
    return trace.get_current_span(context).get_span_context()


@contextlib.contextmanager
def _around(tracer: trace.Tracer, name: str, **options: Any) -> Iterator[Span]:
    # An error may have what clients sent in its message.
    options |= {"record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, **options) as span:
        try:
            yield span
        except Exception as error:
            _name_error(span, error)
            raise


@contextlib.contextmanager
def _for_callers(tracer: trace.Tracer, name: str, callers: Sequence[Span]) -> Iterator[None]:
    links = [Link(each.get_span_context()) for each in callers]
    with _around(tracer, name, links=links, context=current.Context()) as span:
        for each in callers:
            each.add_link(span.get_span_context())
        yield


@contextlib.contextmanager
def _continuing(tracer: trace.Tracer, name: str, contexts: Sequence[SpanContext]) -> Iterator[None]:
    links = [Link(each) for each in contexts]
    with _around(tracer, f"batch: {name}", links=links, kind=SpanKind.CONSUMER) as batch:
        link = [Link(batch.get_span_context())]
        spans = [
            tracer.start_span(
                name,
                trace.set_span_in_context(NonRecordingSpan(each), current.Context()),
                SpanKind.CONSUMER,
                links=link,
            )
            for each in contexts
        ]
        try:
            yield
        except Exception as error:
            for each in spans:
                _name_error(each, error)
            raise
        finally:
            for each in spans:
                each.end()


def _name_error(span: Span, error: Exception) -> None:
    span.set_attribute("error.type", type(error).__name__)
