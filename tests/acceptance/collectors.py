"""A collector of traces: it takes what services export, by OTLP over HTTP."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """A span, with the process that made it."""

    name: str
    trace_id: str
    process: str


class Collector:
    """What was exported so far; `settings` are those of a service that exports to it."""

    def __init__(self, url: str) -> None:
        self.settings: Mapping[str, str] = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        self.texts: list[str] = []
        self.requests: list[ExportTraceServiceRequest] = []

    def take(self, body: bytes) -> None:
        """Keep what a request has."""
        request = ExportTraceServiceRequest.FromString(body)
        self.requests.append(request)
        self.texts.append(str(request))

    @property
    def spans(self) -> Sequence[Span]:
        """All of them."""
        return [
            Span(each.name, each.trace_id.hex(), values["service.instance.id"])
            for request in self.requests
            for of_process in request.resource_spans
            for values in [{it.key: it.value.string_value for it in of_process.resource.attributes}]
            for of_library in of_process.scope_spans
            for each in of_library.spans
        ]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            collector.take(gzip.decompress(body) if is_packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield collector
        server.shutdown()
        thread.join()
