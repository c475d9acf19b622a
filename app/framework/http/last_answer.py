"""Problems that the server answers itself, without the application."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Response

from app.framework.eventsourcing import uuid7
from app.framework.http.caching import with_safe_defaults
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.refusals import problem_response
from app.framework.http.request_id import REQUEST_ID, set_request_id

CLOSE = (b"connection", b"close")
"""The header of the last answer of a connection."""

_log = logging.getLogger(__name__)


class LastAnswer:
    """The last answer of a connection: a problem, under an id of its own. An ASGI application.

    It is logged with the id, at debug level only, as any client can cause any number.
    """

    def __init__(self, scope: Mapping[str, Any], kind: ProblemType, reason: str = "") -> None:
        """Answer the request of `scope`, which may have a path only, with a problem."""
        request_id = uuid7()
        detail = f"{kind.example.removesuffix('.')}: {reason}." if reason else kind.example
        scope = {**scope, "state": {}}
        set_request_id(scope, request_id, request_id)
        self._response: Response = problem_response(scope, kind, detail)
        self._response.raw_headers = with_safe_defaults(
            self._response.raw_headers,
            (REQUEST_ID, request_id.encode()),
            CLOSE,
        )
        _log.debug("Refused with %s: %s", kind.status, detail, extra={"request_id": request_id})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._response(scope, receive, send)

    def as_bytes(self, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The encoded answer, for use without a request."""
        status = HTTPStatus(self._response.status_code)
        own = dict(self._response.raw_headers)
        headers = [*(each for each in default_headers if each[0] not in own), *own.items()]
        start = f"HTTP/1.1 {status} {status.phrase}\r\n".encode()
        head = b"".join(b"%b: %b\r\n" % each for each in headers)
        return start + head + b"\r\n" + bytes(self._response.body)
