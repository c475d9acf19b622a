"""Measures requests: how many, of which operation, how they are answered, how fast.

What clients send is in no label: an unknown path, or a method that it does not have, is the
operation "" with the method "_OTHER" (as OpenTelemetry has it).
"""

from fastapi.routing import APIRoute
from starlette.types import Scope

from app.framework.http.answers import problem_of
from app.framework.http.operation_index import operation_of
from app.framework.observability.metrics import Distribution, counter, gauge, histogram

_DURATIONS = histogram(
    "http_server_request_duration_seconds",
    "Requests, and the time from their heads to the beginnings of their answers.",
    "operation",
    "http_request_method",
    "http_route",
    "http_response_status_code",
)
_ACTIVE = gauge("http_server_active_requests", "Requests under way, with open streams.")
_PROBLEMS = counter(
    "problems_total",
    "Requests that were answered with a problem document, by its code.",
    "code",
)

active = _ACTIVE.of()
"""Counts the requests under way."""

_durations: dict[tuple[str | None, int], Distribution] = {}


def measure_answer(scope: Scope, status: int, seconds: float) -> None:
    """Measure the request of `scope`, which is answered with `status` after `seconds`."""
    route = operation_of(scope)
    key = (None if route is None else route.name), status
    durations = _durations.get(key)
    if durations is None:
        durations = _durations[key] = _DURATIONS.of(*_operation(route), str(status))
    durations.observe(seconds)
    if status >= 400:  # noqa: PLR2004 - HTTP's
        code = problem_of(scope)
        if code is not None:
            _PROBLEMS.of(code).value += 1


def _operation(route: APIRoute | None) -> tuple[str, str, str]:
    if route is None:
        return "", "_OTHER", ""
    return route.name, min(route.methods or [""]), route.path_format
