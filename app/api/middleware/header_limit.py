"""No request has a head longer than the service is willing to look through."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import HEADERS_TOO_LARGE
from app.api.refusals import problem_response


class HeaderLimit:
    """Refuses a request whose path, query and headers have over `limit` bytes together."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as long as its head is within the limit."""
        if scope["type"] == "http" and _length(scope) > self._limit:
            answer = problem_response(scope, HEADERS_TOO_LARGE, HEADERS_TOO_LARGE.example)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _length(scope: Scope) -> int:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return headers + len(scope["path"]) + len(scope["query_string"])
