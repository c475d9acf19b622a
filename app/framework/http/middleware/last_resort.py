"""The answers to requests that are given up: by an unhandled exception, or by the server."""

import logging

from fastapi import Response
from starlette.types import Scope

from app.framework.http.problems import INTERNAL_ERROR, STORAGE_UNAVAILABLE
from app.framework.http.refusals import problem_response

_STOPPING = (
    "The process stops. Try again later; if this was a write, look first whether it was recorded."
)

_log = logging.getLogger(__name__)


def unhandled(scope: Scope) -> Response:
    """The answer after an exception, which is logged with its traceback."""
    _log.exception("Unhandled exception in %s %s", scope["method"], scope["path"])
    return problem_response(scope, INTERNAL_ERROR, INTERNAL_ERROR.example)


def stopping(scope: Scope) -> Response:
    """The answer to a request that was cancelled.

    Only the server cancels requests: when it stops, after a time, for example for the rest of a
    body.
    """
    return problem_response(scope, STORAGE_UNAVAILABLE, _STOPPING)
