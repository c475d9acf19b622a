"""The edge around an application of a test."""

from typing import Any

from starlette.types import ASGIApp

from app.framework.http.application import BODY_LIMIT, HEADER_LIMIT
from app.framework.http.middleware import (
    Admission,
    Auditing,
    Authentication,
    BodyLimit,
    Edge,
    Places,
    RequestGuard,
)
from app.framework.http.operation_index import OperationIndex
from app.framework.http.refusal_lines import RefusalLines

HTTP_1_0: dict[str, Any] = {
    "type": "http",
    "http_version": "1.0",  # which needs no Host
    "method": "POST",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
}
"""The scope of a request that passes."""


def edge(
    app: ASGIApp,
    *,
    head_limit: int = HEADER_LIMIT,
    body_limit: int = BODY_LIMIT,
    places: Places | None = None,
    operations: OperationIndex | None = None,
) -> Edge:
    """The edge around `app`, for anyone, without rate limits."""
    return Edge(
        app,
        auditing=Auditing(operations or OperationIndex(), RefusalLines()),
        access_lines=None,
        cross_origin=None,
        guard=RequestGuard(head_limit),
        authentication=Authentication(None),
        rate_limiting=None,
        body_limit=BodyLimit(body_limit),
        admission=Admission(places or Places(1)),
    )
