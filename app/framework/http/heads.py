"""HEAD, on everything that answers GET (RFC 9110, section 9.1)."""

from collections.abc import Iterable

from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route


class HeadRoute(Route):
    """Answers HEAD like `route` answers GET.

    It does the same work, so the headers are the same; the server sends no content. It is not in
    the OpenAPI document, as generators would make a second function of each read.
    """

    def __init__(self, route: APIRoute) -> None:
        super().__init__(route.path, route.endpoint, methods=["HEAD"], include_in_schema=False)
        self.app = route.app


def head_routes(routes: Iterable[BaseRoute]) -> list[HeadRoute]:
    """Routes for HEAD beside those of `routes` that answer GET, streams excepted.

    A stream has no end, so an answer to HEAD would keep resources for nothing.
    """
    return [
        HeadRoute(each)
        for each in routes
        if isinstance(each, APIRoute) and "GET" in (each.methods or ()) and not _is_stream(each)
    ]


def _is_stream(route: APIRoute) -> bool:
    kind = route.response_class
    return isinstance(kind, type) and issubclass(kind, StreamingResponse)
