"""What is noted about the answer to a request, for the audit log."""

from collections.abc import Mapping
from typing import Any

_STATE, _PROBLEM, _UNWRITTEN, _AUDITED = "state", "problem", "unwritten_refusals", "audited"


def set_problem(scope: Mapping[str, Any], code: str) -> None:
    """Set the code of the problem that the request of `scope` is answered with."""
    if _STATE in scope:
        scope[_STATE][_PROBLEM] = code


def problem_of(scope: Mapping[str, Any]) -> str | None:
    """The code of the problem that the request of `scope` is answered with; None without one."""
    found: str | None = scope.get(_STATE, {}).get(_PROBLEM)
    return found


def set_unwritten(scope: Mapping[str, Any], number: int | None) -> None:
    """Set how many refusals of the same client have no line of their own.

    None if this one has none either.
    """
    scope[_STATE][_UNWRITTEN] = number


def unwritten_of(scope: Mapping[str, Any]) -> int | None:
    """The number that was set; 0 if none was."""
    found: int | None = scope.get(_STATE, {}).get(_UNWRITTEN, 0)
    return found


def set_audited(scope: Mapping[str, Any]) -> None:
    """Have a line written though the request of `scope` is a read that is allowed."""
    scope[_STATE][_AUDITED] = True


def is_audited(scope: Mapping[str, Any]) -> bool:
    """Whether that was set."""
    return _AUDITED in scope.get(_STATE, ())
