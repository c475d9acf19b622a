"""HEAD, on everything that answers GET (RFC 9110, section 9.1)."""

from collections.abc import Iterable

from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send


class HeadRoute(Route):
    """Answers HEAD like `route` answers GET, or refuses it for a stream.

    It does the same work, so the headers are the same; the server sends no content. A stream has no
    end, so an answer to HEAD would keep resources for nothing. It is not in the OpenAPI document,
    as generators would make a second function of each read.
    """

    def __init__(self, route: APIRoute) -> None:
        super().__init__(route.path, route.endpoint, methods=["HEAD"], include_in_schema=False)
        self.is_refusal = _is_stream(route)
        self.app = _refuse if self.is_refusal else route.app


def head_routes(routes: Iterable[BaseRoute]) -> list[HeadRoute]:
    """Routes for HEAD beside those of `routes` that answer GET."""
    return [
        HeadRoute(each)
        for each in routes
        if isinstance(each, APIRoute) and "GET" in (each.methods or ())
    ]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
    # Else a stream at /things/changes would be taken for the thing "changes".
    raise HTTPException(405)


def _is_stream(route: APIRoute) -> bool:
    kind = route.response_class
    return isinstance(kind, type) and issubclass(kind, StreamingResponse)
