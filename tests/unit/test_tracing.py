"""When a process is traced, and what that takes; its spans are tested on real servers."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.sdk.trace import TracerProvider

from app.framework.eventsourcing import Event, Metadata, RecordedEvent
from app.framework.observability import logs, tracing
from app.framework.projections.traces import traces_of
from app.host import telemetry
from app.host.settings import InvalidSettings, Settings
from app.main import create_app

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

NOWHERE = Settings.load(
    database_url="postgresql://nowhere/users", mongodb_url="mongodb://nowhere", auth="none"
)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def traced() -> Iterator[None]:
    """Has spans made, which go nowhere."""
    tracing.use(TracerProvider(shutdown_on_exit=False))
    yield
    tracing.use(None)


@pytest.mark.parametrize(
    ("variables", "is_traced"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "True", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SERVICE_NAME": "users"}, False),
    ],
)
def test_nothing_is_traced_unless_a_variable_asks_for_it(variables, is_traced):
    """By OpenTelemetry's own variables."""
    assert telemetry.is_configured(variables) == is_traced


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: zipkin is not known"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf",
        ),
    ],
)
def test_what_is_not_there_is_refused_at_the_start(monkeypatch, variables, said):
    """And not found out when a trace is missed."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=said):
        create_app(NOWHERE)


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    """A service without it starts as long as nothing asks for traces."""
    monkeypatch.setitem(sys.modules, "app.host.spans", None)
    create_app(NOWHERE)
    monkeypatch.setenv(ENDPOINT, "http://collector:4318")
    with pytest.raises(InvalidSettings, match=r"pip install 'diptych\[telemetry\]'"):
        create_app(NOWHERE)


def test_metadata_without_a_trace_is_what_it_was():
    """Other versions of the service store and read it."""
    assert Metadata("r1").as_data() == {"correlation_id": "r1"}
    traced = Metadata("r1", traceparent=SAMPLED)
    assert traced.as_data() == {"correlation_id": "r1", "traceparent": SAMPLED}
    assert Metadata.from_data({**traced.as_data(), "later": 1}) == traced
    assert Metadata.from_data({"correlation_id": "r1"}) == Metadata("r1")


@pytest.mark.usefixtures("traced")
def test_lines_of_the_log_have_the_ids_of_the_trace(capsys):
    """Within a span, and only there."""
    logs.configure("info", "json")
    with tracing.span("work"):
        logging.getLogger("app").warning("within")
        parts = (tracing.traceparent() or "").split("-")
    logging.getLogger("app").warning("after")
    within, after = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert [within["trace_id"], within["span_id"]] == parts[1:3]
    assert "trace_id" not in after


@pytest.mark.usefixtures("traced")
def test_a_rebuild_writes_into_no_old_trace():
    """It reads the whole log, of which each event may have one."""

    def event(position: int, age: timedelta, traceparent: str | None) -> RecordedEvent:
        metadata = Metadata(traceparent=traceparent)
        return RecordedEvent(position, "a-1", 1, Event(), metadata, datetime.now(UTC) - age)

    events = [
        event(1, timedelta(hours=1), "old"),
        event(2, timedelta(minutes=1), None),
        event(3, timedelta(minutes=1), SAMPLED),
        event(4, timedelta(minutes=1), SAMPLED),
    ]
    assert list(traces_of(events)) == [SAMPLED]
    tracing.use(None)
    assert list(traces_of(events)) == []


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("traceparent", ["", "forged", SAMPLED.replace("-01", "-00"), "00-0-0-01"])
def test_what_is_no_sampled_trace_is_not_continued(traceparent):
    """Stored events may have anything there."""
    with tracing.continued("work", [traceparent]):
        assert tracing.current_span() is None
