"""What is noted about the answer to a request, for the audit log."""

from collections.abc import Mapping
from typing import Any

_STATE, _PROBLEM, _CLIENT, _AUDITED = "state", "problem", "refused_client", "audited"


def set_problem(scope: Mapping[str, Any], code: str) -> None:
    """Set the code of the problem that the request of `scope` is answered with."""
    if _STATE in scope:
        scope[_STATE][_PROBLEM] = code


def problem_of(scope: Mapping[str, Any]) -> str | None:
    """The code of the problem that the request of `scope` is answered with; None without one."""
    found: str | None = scope.get(_STATE, {}).get(_PROBLEM)
    return found


def set_refused_client(scope: Mapping[str, Any], key: str) -> None:
    """Set which client's rate limit refused the request of `scope`."""
    scope[_STATE][_CLIENT] = key


def refused_client_of(scope: Mapping[str, Any]) -> str | None:
    """The key that was set; None if no rate limit refused the request."""
    found: str | None = scope.get(_STATE, {}).get(_CLIENT)
    return found


def set_audited(scope: Mapping[str, Any]) -> None:
    """Have a line written though the request of `scope` is a read that is allowed."""
    scope[_STATE][_AUDITED] = True


def is_audited(scope: Mapping[str, Any]) -> bool:
    """Whether that was set."""
    return _AUDITED in scope.get(_STATE, ())
