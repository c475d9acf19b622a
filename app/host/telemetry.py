"""Traces as the variables of OpenTelemetry say (OTEL_...); without them there are none.

The SDK is imported only if there are traces: it belongs to the extra `telemetry`.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from app import IDENTIFIER, __version__
from app.framework.observability import tracing
from app.host.settings import InvalidSettings

_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
_PROTOCOL = "http/protobuf"


def is_configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the variables ask for traces."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get(_EXPORTER, "").strip()
    return exporter not in {"", "none"} or (not exporter and any(map(environ.get, _ENDPOINTS)))


@contextlib.contextmanager
def traced(process: str) -> Iterator[None]:
    """Trace what this process does, if the variables ask for it; then export what is left.

    Enter it after a fork, as the exporter has a thread, and before anything connects.
    """
    if not is_configured():
        yield
        return
    sdk = _sdk()
    exporter = sdk.exporter(_exporter())
    provider = sdk.provider(exporter, name=IDENTIFIER, version=__version__, process=process)
    sdk.trace_with(provider)
    try:
        yield
    finally:
        tracing.use(None)
        provider.shutdown()


def check() -> None:
    """Return if what the variables ask for can be made.

    Raises:
        InvalidSettings: it cannot.

    """
    exporter = _exporter()
    if exporter not in {"otlp", "console"}:
        raise InvalidSettings(f"{_EXPORTER}: {exporter} is not known; use otlp, console or none")
    for name in _PROTOCOLS:
        if os.environ.get(name, _PROTOCOL) != _PROTOCOL:
            raise InvalidSettings(f"{name}: only {_PROTOCOL} is supported")
    _sdk()


def _exporter() -> str:
    return os.environ.get(_EXPORTER, "").strip() or "otlp"


def _sdk() -> Any:
    try:
        return importlib.import_module("app.host.spans")
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            f"{_EXPORTER}, {_ENDPOINTS[0]}: traces need the extra telemetry "
            f"(pip install '{IDENTIFIER}[telemetry]'); {error.name} is not installed"
        ) from error
