"""Says which requests have a line in the access log, and what it has about them."""

import json
from functools import cache

from app.framework.http.answers import problem_of
from app.framework.http.middleware.head import Head
from app.framework.http.operation_index import operation_of
from app.framework.http.principals import found_principal
from app.framework.http.problems import OVERLOADED
from app.framework.http.problems.security import TOO_MANY_REQUESTS
from app.framework.http.request_id import internal_id_of, request_id_of
from app.framework.observability import tracing
from app.framework.observability.access_log import AccessLog
from app.framework.principal import PrincipalKind

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Those that are named; any other is OTHER, as clients may send what they like."""

_OTHER = "_OTHER"

_COUNTED_PATHS = "/health/"
_COUNTED_PROBLEMS = frozenset({TOO_MANY_REQUESTS.code, OVERLOADED.code})
"""What may come in floods, and says nothing about a single request."""


class AccessLines:
    """Gives each request a line, or counts it: probes, and those that were refused for their rate.

    What is unknown of a request, its operation for one, is left out.
    """

    def __init__(self, log: AccessLog) -> None:
        self._log = log

    def write(self, head: Head, status: int, seconds: float) -> None:
        """Write the line of a request whose answer starts with this status, after `seconds`."""
        scope = head.scope
        method, problem = scope["method"], problem_of(scope)
        route, principal = operation_of(scope), found_principal(scope)
        about = _about(
            method if method in _METHODS else _OTHER,
            None if route is None else route.name,
            status,
            problem,
            PrincipalKind.ANYONE if principal is None else principal.kind,
        )
        if problem in _COUNTED_PROBLEMS or head.path.startswith(_COUNTED_PATHS):
            self._log.count(about)
        else:
            traced = tracing.current_ids()
            trace_id = None if traced is None else traced[0]
            self._log.add(about, seconds, request_id_of(scope), internal_id_of(scope), trace_id)


@cache  # each has few values, none of which is a client's
def _about(
    method: str, operation: str | None, status: int, problem: str | None, principal: str
) -> str:
    members = {
        "method": method,
        "operation": operation,
        "status": status,
        "problem": problem,
        "principal": principal,
    }
    known = {name: value for name, value in members.items() if value is not None}
    return json.dumps(known, separators=(",", ":"))[1:-1]
